/// A rule the rings broke while a program ran.
struct ProgramFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Ends the program unless `condition` holds.
func require(
    _ condition: Bool, _ what: @autoclosure () -> String, line: Int = #line
) throws(ProgramFailure) {
    guard condition else { throw ProgramFailure("\(what()) (line \(line))") }
}
