internal import CLinux
internal import LinuxHost
internal import SystemPackage

/// The files of a process, as `/proc` shows them.
enum ProcessFiles {
    /// The descriptors in a process's `fd` folder, none where it cannot be read.
    static func numbers(in folder: String) -> [Int32] {
        ((try? FolderListing.names(FilePath(folder))) ?? []).compactMap { Int32($0) }
    }

    /// The number of the file that a descriptor is of, as its file of `fdinfo` says from Linux 5.14 on.
    static func inode(of file: String) -> UInt64? {
        KernelText.of(FilePath(file)).flatMap { KernelText.number("ino", in: $0) }
    }

    /// Whether `descriptor` is of the regular file `file`, open for what a mapping of it needs; unless `isOnSameDevice`, of
    /// one with that inode on any device.
    static func isRegular(
        _ descriptor: FileDescriptor, _ file: ProcessMapping.File, isOnSameDevice: Bool, isWritable: Bool
    ) -> Bool {
        clinux_is_regular_file(descriptor.rawValue, isOnSameDevice ? file.device : .max, file.inode) == 1
            && clinux_permits(descriptor.rawValue, isWritable ? 1 : 0) == 1
    }

    /// Whether what `path` leads to is the regular file `file`, which memory is mapped of; unless `isOnSameDevice`, one with
    /// that inode on any device.
    static func isRegular(_ path: FilePath, _ file: ProcessMapping.File, isOnSameDevice: Bool) -> Bool {
        unsafe path.withPlatformString {
            unsafe clinux_is_regular($0, isOnSameDevice ? file.device : .max, file.inode) == 1
        }
    }
}
