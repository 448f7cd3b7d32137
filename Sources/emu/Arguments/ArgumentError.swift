/// Why a value of the command line is refused; the parser puts the option and the value in front.
struct ArgumentError: Error, Hashable, Sendable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
