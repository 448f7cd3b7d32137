import Testing

@testable import ForeignPrograms

@Suite("Names of a process's own descriptors") struct DescriptorPathTests {
    @Test("each folder of them is known", arguments: ["/proc/self/fd/", "/proc/thread-self/fd/", "/dev/fd/"])
    func folders(folder: String) {
        #expect(DescriptorPath.number(folder + "0") == 0)
        #expect(DescriptorPath.number(folder + "1023") == 1023)
    }

    @Test(
        "what the kernel would not read as a number is none, nor is another process's",
        arguments: [
            "/proc/self/fd/", "/proc/self/fd/-1", "/proc/self/fd/+1", "/proc/self/fd/07", "/proc/self/fd/1/",
            "/proc/self/fd/4294967296", "/proc/1/fd/1", "/dev/fdset/2", "self/fd/1", "",
        ])
    func others(path: String) { #expect(DescriptorPath.number(path) == nil) }
}
