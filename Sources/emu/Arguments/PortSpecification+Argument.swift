internal import VirtioNet

extension PortSpecification {
    /// Reads a port, for the parser.
    init(argument text: String) throws(ArgumentError) {
        do throws(PortError) {
            try self.init(parsing: text)
        } catch {
            throw ArgumentError(error.description)
        }
    }
}
