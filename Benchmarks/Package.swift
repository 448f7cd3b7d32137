// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
]

/// Benchmarks beside their baselines, apart from the main package so that nobody builds them by accident.
///
/// `RingWithin` compiles the sources of VirtQueue and the loops over it into one module, `RingAcross` the same
/// loops in a module that imports VirtQueue: the difference is the cost of the module's edge.
/// `CLoopback` is the baseline of loopback end to end, a program of its own beside `emu run`.
let package = Package(
    name: "Benchmarks",
    dependencies: [
        .package(name: "emu", path: ".."),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    ],
    targets: [
        .target(name: "CRing", cSettings: [.unsafeFlags(["-O3"])]),
        .target(
            name: "RingWithin",
            dependencies: [
                "CRing", .product(name: "GuestMemory", package: "emu"),
                .product(name: "Virtio", package: "emu"),
            ],
            swiftSettings: strict + [.define("WITHIN_MODULE")]
        ),
        .target(
            name: "RingAcross",
            dependencies: [
                "CRing", .product(name: "VirtQueue", package: "emu"),
                .product(name: "GuestMemory", package: "emu"),
                .product(name: "Virtio", package: "emu"),
            ],
            swiftSettings: strict
        ),
        .target(name: "CLoopback", cSettings: [.unsafeFlags(["-O3"])]),
        .executableTarget(name: "loopback-benchmark", dependencies: ["CLoopback"], swiftSettings: strict),
        .target(name: "CIntervalTree", cSettings: [.unsafeFlags(["-O3"])]),
        .executableTarget(
            name: "interval-map-benchmark",
            dependencies: ["CIntervalTree", .product(name: "GuestMemory", package: "emu")],
            swiftSettings: strict
        ),
        .executableTarget(name: "CCycleFloor", cSettings: [.unsafeFlags(["-O2"])]),
        .target(name: "CInstantDevice", cSettings: [.unsafeFlags(["-O2"])]),
        .executableTarget(
            name: "BackendOverhead",
            dependencies: [
                "CInstantDevice",
                .product(name: "VhostVDPABackend", package: "emu"),
                .product(name: "VhostVDPA", package: "emu"),
                .product(name: "VirtQueue", package: "emu"),
                .product(name: "Virtio", package: "emu"),
                .product(name: "GuestMemory", package: "emu"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .executableTarget(name: "ring-benchmark", dependencies: ["CRing", "RingWithin", "RingAcross"]),
    ]
)
