// swift-tools-version: 6.2
import PackageDescription

/// The settings every Swift target shares: the language mode's strictest checks, all of them errors.
let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let histogram: Target.Dependency = .product(name: "Histogram", package: "hdrhistogram-swift")

/// The commit that a package is made from, compiled in (scripts/package). Other builds have none: each commit would
/// link them anew.
let commit: [CSetting] = Context.environment["EMU_COMMIT"].map { [.define("EMU_COMMIT", to: $0)] } ?? []

/// What the command line is made of.
let everything: [Target.Dependency] = [
    "CycleBenchmark", "EmulatedMachine", "DeviceScripts", "SimulatedConformance", "VhostVDPAConformance",
    "SimulatedVDPA", "ForeignPrograms", "ClientRules",
    "VhostVDPABackend", "VDUSE",
    "VhostVDPA", "VirtioNet", "VirtioDevice", "WorkerRuntime",
    "VirtQueue", "Virtio", "GuestMemory", "LinuxHost", "CLinux", "CProcessStart", system, logging,
    .product(name: "ArgumentParser", package: "swift-argument-parser"),
]

/// A library and its tests, which may need more than the library itself, and read files of some folders.
func library(
    _ name: String, _ dependencies: [Target.Dependency], testing: [Target.Dependency] = [],
    testsRead folders: [String] = []
) -> [Target] {
    [
        .target(name: name, dependencies: dependencies, swiftSettings: strict),
        .testTarget(
            name: "\(name)Tests",
            dependencies: [.target(name: name)] + dependencies + testing,
            exclude: folders, swiftSettings: strict
        ),
    ]
}

let package = Package(
    name: "emu",
    products: [
        .executable(name: "emu", targets: ["emu"]),
        .library(name: "LinuxHost", targets: ["LinuxHost"]),
        .library(name: "IOUring", targets: ["IOUring"]),
        .library(name: "Virtio", targets: ["Virtio"]),
        .library(name: "GuestMemory", targets: ["GuestMemory"]),
        .library(name: "VirtQueue", targets: ["VirtQueue"]),
        .library(name: "VhostVDPA", targets: ["VhostVDPA"]),
        .library(name: "VhostVDPABackend", targets: ["VhostVDPABackend"]),
        .library(name: "SimulatedVDPA", targets: ["SimulatedVDPA"]),
        .library(name: "VhostVDPAConformance", targets: ["VhostVDPAConformance"]),
        .library(name: "DeviceScripts", targets: ["DeviceScripts"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        .target(name: "CLinux"),
        .target(name: "CProcessStart", cSettings: commit),
        .target(name: "CProfile", path: "Tests/CProfile"),
        // A program that `emu exec` runs in tests: built beside `emu`.
        .executableTarget(
            name: "foreign-client", path: "Tests/ForeignClient", linkerSettings: [.linkedLibrary("pthread")]),
        .target(name: "CIOUring", linkerSettings: [.linkedLibrary("uring")]),
    ]
        + library("LinuxHost", ["CLinux", system])
        + library("Virtio", [])
        + library("SeededRandom", [])
        + library("IOUring", ["CIOUring", system], testing: ["LinuxHost", "TestSupport"])
        + library(
            "WorkerRuntime", ["IOUring", "CIOUring", "LinuxHost", "CLinux", system], testing: ["TestSupport"])
        + [
            .target(
                name: "TestSupport",
                dependencies: [
                    "VirtioNet", "VirtioDevice", "VhostVDPA", "VirtQueue", "Virtio", "GuestMemory",
                    "WorkerRuntime", "LinuxHost", system, logging,
                ],
                path: "Tests/TestSupport", swiftSettings: strict)
        ]
        + library("GuestMemory", ["LinuxHost", "CLinux", system, logging], testing: ["SeededRandom"])
        + library("VirtQueue", ["Virtio", "GuestMemory"], testing: ["SeededRandom", "TestSupport"])
        + library(
            "VirtioDevice", ["Virtio", "VirtQueue", "WorkerRuntime", "GuestMemory", "LinuxHost", system],
            testing: ["TestSupport"])
        + library(
            "VirtioNet",
            [
                "VirtioDevice", "VirtQueue", "Virtio", "GuestMemory", "WorkerRuntime", "IOUring", "CIOUring",
                "LinuxHost", "CLinux", system, logging,
            ],
            testing: ["SeededRandom", "CProfile", "TestSupport"]
        )
        + library(
            "VhostVDPA", ["Virtio", "GuestMemory", "CLinux", system, logging], testing: ["TestSupport"])
        + library(
            "VDUSE",
            [
                "VirtioDevice", "VirtQueue", "Virtio", "GuestMemory", "WorkerRuntime", "LinuxHost", "CLinux",
                system, logging,
            ],
            testing: ["VirtioNet", "TestSupport"]
        )
        + library(
            "VhostVDPABackend",
            ["VhostVDPA", "VirtQueue", "Virtio", "GuestMemory", "LinuxHost", "CLinux", system, logging],
            testing: ["CProfile", "TestSupport"]
        )
        + library(
            "SimulatedVDPA",
            [
                "VhostVDPA", "VirtioNet", "VirtioDevice", "VirtQueue", "Virtio", "GuestMemory",
                "WorkerRuntime", "IOUring", "CIOUring", "LinuxHost", "CLinux", system, logging,
            ],
            testing: ["VhostVDPAConformance", "SeededRandom", "TestSupport"]
        )
        + library(
            "ForeignPrograms",
            [
                "ClientRules", "DeviceScripts", "SimulatedVDPA", "VhostVDPA", "VirtioNet", "VirtioDevice",
                "Virtio",
                "WorkerRuntime", "GuestMemory",
                "LinuxHost", "CLinux", system, logging,
            ],
            testing: ["TestSupport"]
        )
        + library(
            "VhostVDPAConformance",
            ["VhostVDPA", "VirtQueue", "GuestMemory", "LinuxHost", "SeededRandom", "CLinux", system],
            testing: ["SimulatedConformance", "SimulatedVDPA", "TestSupport", "WorkerRuntime", logging]
        )
        + [
            .target(
                name: "SimulatedConformance",
                dependencies: [
                    "VhostVDPAConformance", "SimulatedVDPA", "VhostVDPA", "VirtioNet", "VirtioDevice",
                    "VirtQueue", "Virtio", "GuestMemory", "LinuxHost", system, logging,
                ],
                swiftSettings: strict)
        ]
        + library(
            "DeviceScripts",
            ["VhostVDPA", "Virtio", "GuestMemory", "LinuxHost", "SeededRandom", "CLinux", system],
            testing: [
                "SimulatedConformance", "SimulatedVDPA", "VhostVDPAConformance", "TestSupport", logging,
            ],
            testsRead: ["Scripts"]
        )
        + library(
            "ClientRules", ["DeviceScripts", "VhostVDPA", "Virtio", "GuestMemory", system],
            testing: [
                "SimulatedConformance", "SimulatedVDPA", "VhostVDPAConformance", "TestSupport", logging,
            ],
            testsRead: ["Scripts"]
        )
        + library(
            "EmulatedMachine",
            [
                "SimulatedVDPA", "VhostVDPABackend", "VhostVDPA", "VirtioNet", "VirtioDevice",
                "WorkerRuntime", "VirtQueue", "Virtio", "GuestMemory", "LinuxHost", system, logging,
                histogram,
            ],
            testing: ["SeededRandom", "IOUring", "CProfile", "TestSupport"]
        )
        + library(
            "CycleBenchmark",
            [
                "EmulatedMachine", "SimulatedVDPA", "VhostVDPABackend", "VhostVDPA", "VirtioNet", "VirtQueue",
                "IOUring", "Virtio", "GuestMemory", "LinuxHost", "SeededRandom", "CLinux",
                system, logging,
            ],
            testing: ["VirtioDevice", "TestSupport"]
        )
        + [
            .executableTarget(name: "emu", dependencies: everything, swiftSettings: strict),
            .testTarget(
                name: "emuTests", dependencies: ["emu", "foreign-client", "TestSupport"] + everything,
                swiftSettings: strict),
        ]
)

// A kernel in a VM runs the tests that need a device, optimised; no others are built for that (scripts/test-kernel).
if let names = Context.environment["EMU_TEST_TARGETS"]?.split(separator: ",") {
    package.targets.removeAll { $0.type == .test && !names.contains(Substring($0.name)) }
}
