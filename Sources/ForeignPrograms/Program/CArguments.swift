internal import Glibc

/// Words as a C program's arguments: an array of strings that ends with none.
struct CArguments {
    private let words: [String]

    init(_ words: [String]) { self.words = words }

    /// Lends the array for the call.
    func withPointer<Answer>(
        _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Answer
    ) -> Answer {
        var pointers = unsafe words.map { unsafe strdup($0) }
        unsafe pointers.append(nil)
        defer { unsafe pointers.forEach { unsafe free($0) } }
        return unsafe pointers.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { preconditionFailure("the last pointer is there") }
            return unsafe body(start)
        }
    }
}
