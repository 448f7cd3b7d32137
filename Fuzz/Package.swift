// swift-tools-version: 6.2
import PackageDescription

/// The libFuzzer target, apart from the main package: everything in it is built with `-sanitize=fuzzer,address`.
///
/// `scripts/test --fuzz` builds and runs it. The program's interpreter is the tests' own, through a symbolic link, so
/// that what the fuzzer finds is a program a test can run.
let package = Package(
    name: "Fuzz",
    dependencies: [.package(name: "emu", path: "..")],
    targets: [
        .target(name: "CFuzzer"),
        .executableTarget(
            name: "RingFuzzer",
            dependencies: [
                "CFuzzer",
                .product(name: "VirtQueue", package: "emu"), .product(name: "GuestMemory", package: "emu"),
                .product(name: "Virtio", package: "emu"),
            ]
        ),
    ]
)
