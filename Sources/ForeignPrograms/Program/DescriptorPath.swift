/// Names of a process's own descriptors, by which what they are of can be opened once more.
enum DescriptorPath {
    private static let folders = ["/proc/self/fd/", "/proc/thread-self/fd/", "/dev/fd/"]

    /// The number of the descriptor that `path` names; `nil` where it names something else.
    static func number(_ path: String) -> Int32? {
        for folder in folders where path.hasPrefix(folder) {
            let digits = path.dropFirst(folder.count)
            // As the kernel writes and reads them: no sign, no leading zero.
            guard let number = Int32(digits), String(number) == digits, number >= 0 else { return nil }
            return number
        }
        return nil
    }
}
