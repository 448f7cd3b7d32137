internal import GuestMemory

extension ByteCount {
    /// Reads digits and one of `K`, `M`, `G`, `T` or nothing, for the parser.
    init(argument text: String) throws(ArgumentError) {
        guard let count = ByteCount(parsing: text) else {
            throw ArgumentError("use a whole number and K, M, G or T, as in 1G")
        }
        self = count
    }
}
