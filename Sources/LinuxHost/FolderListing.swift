internal import Glibc
package import SystemPackage

/// What is in a folder.
package enum FolderListing {
    /// The names in the folder at `path`, in no order, `.` and `..` among them.
    package static func names(_ path: FilePath) throws(Errno) -> [String] {
        guard let listing = unsafe opendir(path.string) else { throw Errno(rawValue: errno) }
        defer { unsafe closedir(listing) }
        var names: [String] = []
        while true {
            // A null says both that there are no more and that reading failed; errno tells which.
            errno = 0
            guard let entry = unsafe readdir(listing) else { break }
            names.append(
                unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
                    unsafe name.withMemoryRebound(to: CChar.self, capacity: 1) { unsafe String(cString: $0) }
                })
        }
        guard errno == 0 else { throw Errno(rawValue: errno) }
        return names
    }
}
