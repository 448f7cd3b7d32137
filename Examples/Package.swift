// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

/// A library of emu's, by the name of its product: what an outsider has.
func emu(_ name: String) -> Target.Dependency { .product(name: name, package: "emu") }

/// Programs that use emu as a library, in a package of their own: what is `package` in emu cannot be reached here.
let package = Package(
    name: "Examples",
    dependencies: [
        .package(name: "emu", path: ".."),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    ],
    targets: [
        .executableTarget(
            name: "frame-out-and-back",
            dependencies: [
                emu("GuestMemory"), emu("LinuxHost"), emu("SimulatedVDPA"), emu("VhostVDPA"),
                emu("VhostVDPABackend"), emu("VirtQueue"), emu("Virtio"), logging, system,
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "memory-listener",
            dependencies: [
                emu("GuestMemory"), emu("SimulatedVDPA"), emu("VhostVDPA"), emu("VhostVDPABackend"), logging,
            ],
            swiftSettings: strict),
        .target(
            name: "OwnParent",
            dependencies: [
                emu("GuestMemory"), emu("SimulatedVDPA"), emu("VhostVDPA"), emu("VirtQueue"), emu("Virtio"),
                system,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "OwnParentTests",
            dependencies: ["OwnParent", emu("SimulatedVDPA"), emu("VhostVDPAConformance"), logging, system],
            swiftSettings: strict),
    ]
)

// The blocks of code in the articles, which scripts/check docs gathers in one file each: compiled as an outsider's.
if Context.environment["EMU_ARTICLES"] != nil {
    package.targets.append(
        .executableTarget(
            name: "Articles",
            dependencies: [
                emu("DeviceScripts"), emu("GuestMemory"), emu("IOUring"), emu("LinuxHost"),
                emu("SimulatedVDPA"), emu("VhostVDPA"),
                emu("VhostVDPABackend"), emu("VhostVDPAConformance"), emu("VirtQueue"), emu("Virtio"),
                logging, system,
            ],
            path: "Articles", swiftSettings: strict))
}
