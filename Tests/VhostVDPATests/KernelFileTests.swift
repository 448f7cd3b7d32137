import Glibc
import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import VhostVDPA

/// The kernel's side of the seam, on character devices that every machine has.
struct KernelFileTests {
    @Test("a missing device says how to make one")
    func missing() {
        let error = #expect(throws: VhostVDPAError.self) { _ = try KernelFile(path: "/dev/vhost-vdpa-none") }
        #expect(error?.code == .open)
        #expect(error?.errno == .noSuchFileOrDirectory)
        #expect(error?.description.contains("vdpa dev add") == true)
    }

    @Test(
        "a refused open says what to do",
        arguments: [
            (.permissionDenied, "fd:N"), (.resourceBusy, "fuser -v /dev/vhost-vdpa-0"),
            (Errno(rawValue: 524), "coherent"), (.operationNotSupportedByDevice, "modprobe vhost_vdpa"),
        ] as [(Errno, String)])
    func advice(errno: Errno, words: String) {
        #expect(KernelFileAdvice.opening("/dev/vhost-vdpa-0", errno)?.contains(words) == true)
    }

    /// A folder with a file of every kind that needs no privilege.
    private final class Files {
        private let folder: TemporaryFolder

        init() throws {
            folder = try TemporaryFolder()
            #expect(FileManager.default.createFile(atPath: path("file").string, contents: nil))
            _ = try folder.makePipe("fifo")
            for (name, target) in [
                ("link", "/dev/null"), ("loop", path("loop").string), ("nowhere", path("none").string),
            ] {
                try FileManager.default.createSymbolicLink(
                    atPath: path(name).string, withDestinationPath: target)
            }
        }

        func path(_ name: String) -> FilePath {
            FilePath(name.hasPrefix("/") ? name : folder.path(name))
        }
    }

    @Test(
        "a file that is no vhost-vdpa device is not opened, and its error says what it is and how to find one",
        arguments: [
            ("/dev/null", "the character device 'null'"), ("/dev/zero", "the character device 'zero'"),
            ("/dev/ptmx", "the character device 'ptmx'"), ("/", "a directory"), ("fifo", "a FIFO"),
            ("file", "a regular file"), ("link", "the character device 'null'"),
        ])
    func otherFile(name: String, words: String) throws {
        let files = try Files()
        let error = #expect(throws: VhostVDPAError.self) { _ = try KernelFile(path: files.path(name)) }
        #expect(error?.code == .otherFile)
        let text = error?.description ?? ""
        #expect(text.contains("this is \(words), not a vhost-vdpa device"), "\(text)")
        #expect(text.contains("modprobe vhost_vdpa") && text.contains("vdpa dev add"), "\(text)")
        #expect(!text.contains("ioctl"), "\(text)")
    }

    @Test(
        "a path that leads nowhere says what is wrong and what to do",
        arguments: [
            ("none", "modprobe vhost_vdpa"), ("nowhere", "vdpa dev add"), ("file/none", "vdpa dev add"),
            ("loop", "symbolic link"), ("", "modprobe"),
        ])
    func nowhere(name: String, words: String) throws {
        let files = try Files()
        let path = name.isEmpty ? "" : files.path(name)
        let error = #expect(throws: VhostVDPAError.self) { _ = try KernelFile(path: path) }
        #expect(error?.code == .open)
        #expect(error?.description.contains(words) == true)
    }

    @Test(
        "what a file's mode says it is",
        arguments: [
            (0o060660, "a block device"), (0o140755, "a socket"), (0o040755, "a directory"), (0o020666, nil),
        ] as [(UInt32, String?)])
    func modes(mode: UInt32, words: String?) {
        #expect(DeviceFile.name(ofMode: mode) == words)
    }

    @Test(
        "a device that refuses the question of what it is, is another driver's only where the call is unknown there",
        arguments: [
            (.inappropriateIOCTLForDevice, .otherFile), (.invalidArgument, .otherFile),
            (Errno(rawValue: 515), .otherFile), (.badFileDescriptor, .open), (.permissionDenied, .open),
            (.notPermitted, .open), (.noSuchAddressOrDevice, .open), (.interrupted, .open), (.ioError, .open),
        ] as [(Errno, VhostVDPAError.Code)])
    func question(errno: Errno, code: VhostVDPAError.Code) {
        let error = DeviceFile(path: "/dev/vhost-vdpa-0").refusal(ofQuestion: errno)
        #expect(error.code == code)
        #expect(code == .otherFile || error.errno == errno)
    }

    @Test("ioctl and write reach the kernel, and a closed file answers EBADF")
    func calls() throws {
        let file = try KernelFile(anyDevice: "/dev/null")
        #expect(throws: Errno.inappropriateIOCTLForDevice) { try file.ioctl(0x8008_af00, 0) }
        let message = [UInt8](repeating: 1, count: 72)
        #expect(try unsafe message.withUnsafeBytes { try unsafe file.write($0) } == 72)
        file.close()
        file.close()
        #expect(throws: Errno.badFileDescriptor) { try file.ioctl(0, 0) }
        #expect(throws: Errno.badFileDescriptor) {
            try unsafe message.withUnsafeBytes { try unsafe file.write($0) }
        }
        #expect(throws: Errno.badFileDescriptor) {
            _ = try unsafe file.map(length: 4096, protection: 3, flags: 2, offset: 0)
        }
    }

    @Test("mmap reaches the kernel")
    func mapping() throws {
        // MAP_PRIVATE of /dev/zero: zeroed memory. MAP_SHARED with a bad offset: EINVAL.
        let file = try KernelFile(anyDevice: "/dev/zero")
        let page = try unsafe file.map(length: 4096, protection: 3, flags: 2, offset: 0)
        let word = unsafe page.load(as: UInt64.self)
        #expect(word == 0)
        _ = unsafe munmap(page, 4096)
        #expect(throws: Errno.invalidArgument) {
            _ = try unsafe file.map(length: 4096, protection: 3, flags: 2, offset: 1)
        }
    }

    @Test(
        "an inherited descriptor that is closed, open for one direction, or no vhost-vdpa device is refused, and stays the caller's"
    )
    func inheritedRefused() throws {
        let closed = #expect(throws: VhostVDPAError.self) {
            _ = try KernelFile(inherited: FileDescriptor(rawValue: 1_000_000))
        }
        #expect(closed?.errno == .badFileDescriptor)
        #expect(closed?.description.contains("fd:1000000 1000000<>/dev/vhost-vdpa-0") == true)
        for (path, mode, words) in [
            ("/dev/null", .readOnly, "reading and writing"), ("/dev/null", .readWrite, "device 'null'"),
            ("/proc/self/comm", .readWrite, "a regular file"),
        ] as [(FilePath, FileDescriptor.AccessMode, String)] {
            let descriptor = try FileDescriptor.open(path, mode)
            let error = #expect(throws: VhostVDPAError.self) { _ = try KernelFile(inherited: descriptor) }
            #expect(error?.description.contains(words) == true, "\(String(describing: error))")
            try descriptor.close()
        }
    }

    @Test(
        "once it is closed a file never again names a descriptor, so that nobody calls another file by its number"
    )
    func closedNumber() throws {
        let file = try KernelFile(anyDevice: "/dev/null")
        file.close()
        // Whichever has the number would take the write, and answer the ioctl with ENOTTY.
        let others = try (0..<8).map { _ in try KernelFile(anyDevice: "/dev/null") }
        #expect(throws: Errno.badFileDescriptor) { _ = try file.ioctl(0, 0) }
        #expect(throws: Errno.badFileDescriptor) {
            _ = try unsafe file.write(UnsafeRawBufferPointer(start: nil, count: 0))
        }
        #expect(throws: Errno.badFileDescriptor) {
            _ = try unsafe file.map(length: 4096, protection: 1, flags: 1, offset: 0)
        }
        others.forEach { $0.close() }
    }

    @Test("A file that is no device is closed once: what another thread has opened since stays open")
    func closedOnce() async throws {
        async let refusals: Void = withCheckedContinuation { done in
            Thread.detachNewThread {
                for _ in 0..<20_000 { _ = try? KernelFile(path: "/proc/self/comm") }
                done.resume()
            }
        }
        var failures = 0
        for _ in 0..<20_000 {
            let descriptor = try FileDescriptor.open(FilePath("/dev/null"), .readOnly)
            do { try descriptor.close() } catch { failures += 1 }
        }
        await refusals
        #expect(failures == 0)
    }
}
