import Glibc
import Foundation
import SystemPackage
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

    @Test("a file that is no character device is refused")
    func regularFile() {
        let error = #expect(throws: VhostVDPAError.self) { _ = try KernelFile(path: "/proc/self/comm") }
        #expect(error?.description.contains("not a character device") == true)
    }

    @Test("ioctl and write reach the kernel, and a closed file answers EBADF")
    func calls() throws {
        let file = try KernelFile(path: "/dev/null")
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
        let file = try KernelFile(path: "/dev/zero")
        let page = try unsafe file.map(length: 4096, protection: 3, flags: 2, offset: 0)
        let word = unsafe page.load(as: UInt64.self)
        #expect(word == 0)
        _ = unsafe munmap(page, 4096)
        #expect(throws: Errno.invalidArgument) {
            _ = try unsafe file.map(length: 4096, protection: 3, flags: 2, offset: 1)
        }
    }

    @Test("an inherited descriptor is taken over and works")
    func inherited() throws {
        let descriptor = try FileDescriptor.open(FilePath("/dev/null"), .readWrite)
        let file = try KernelFile(inherited: descriptor)
        #expect(throws: Errno.inappropriateIOCTLForDevice) { try file.ioctl(0x8008_af00, 0) }
    }

    @Test("an inherited descriptor that is closed, read-only or no device is refused, and stays the caller's")
    func inheritedRefused() throws {
        let closed = #expect(throws: VhostVDPAError.self) {
            _ = try KernelFile(inherited: FileDescriptor(rawValue: 1_000_000))
        }
        #expect(closed?.errno == .badFileDescriptor)
        for (path, mode) in [("/dev/null", .readOnly), ("/proc/self/comm", .readWrite)]
            as [(FilePath, FileDescriptor.AccessMode)]
        {
            let descriptor = try FileDescriptor.open(path, mode)
            #expect(throws: VhostVDPAError.self) { _ = try KernelFile(inherited: descriptor) }
            try descriptor.close()
        }
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
