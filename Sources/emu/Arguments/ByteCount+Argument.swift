internal import GuestMemory

extension ByteCount {
    /// Reads a size, for the parser.
    init(argument text: String) throws(ArgumentError) {
        do throws(SizeTextError) {
            try self.init(reading: text)
        } catch {
            switch error {
            case .malformed:
                throw ArgumentError(
                    "use a number and K, M, G or T, as in 512M or 1.5G")
            case .tooLarge: throw ArgumentError("that is more than 64 bits count; use less, as in 1G")
            }
        }
    }
}
