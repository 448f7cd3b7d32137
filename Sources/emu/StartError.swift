/// Why a command could not start: what, why and what to do, in one line.
struct StartError: Error, Hashable, Sendable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
