internal import CLinux
internal import SystemPackage

/// The files of a process, as `/proc` shows them.
enum ProcessFiles {
    /// The descriptors in a process's `fd` folder, none where it cannot be read.
    static func numbers(in folder: String) -> [Int32] {
        var numbers: [Int32] = []
        unsafe folder.withCString { path in
            guard let listing = unsafe clinux_open_folder(path) else { return }
            defer { unsafe clinux_close_folder(listing) }
            var number: Int32 = 0
            while unsafe clinux_next_number(listing, &number) == 1 { numbers.append(number) }
        }
        return numbers
    }

    /// Whether what `path` leads to is the regular file `file`, which memory is mapped of.
    static func isRegular(_ path: FilePath, _ file: ProcessMapping.File) -> Bool {
        unsafe path.withPlatformString { unsafe clinux_is_regular($0, file.device, file.inode) == 1 }
    }
}
