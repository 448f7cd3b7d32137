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

    /// The number of the file that a descriptor is of, as its file of `fdinfo` says from Linux 5.14 on.
    static func inode(of file: String) -> UInt64? {
        guard let bytes = try? ProcessMappings.contents(of: FilePath(file)) else { return nil }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where line.hasPrefix("ino:")
        {
            return UInt64(line.dropFirst("ino:".count).trimmingPrefix { $0.isWhitespace })
        }
        return nil
    }

    /// Whether `descriptor` is of the regular file `file`, open for what a mapping of it needs.
    static func isRegular(
        _ descriptor: FileDescriptor, _ file: ProcessMapping.File, isWritable: Bool
    ) -> Bool {
        clinux_is_regular_file(descriptor.rawValue, file.device, file.inode) == 1
            && clinux_permits(descriptor.rawValue, isWritable ? 1 : 0) == 1
    }

    /// Whether what `path` leads to is the regular file `file`, which memory is mapped of.
    static func isRegular(_ path: FilePath, _ file: ProcessMapping.File) -> Bool {
        unsafe path.withPlatformString { unsafe clinux_is_regular($0, file.device, file.inode) == 1 }
    }
}
