// swift-tools-version: 6.2
import PackageDescription

let library: Target.Dependency = .product(name: "SealedCookie", package: "SealedCookie")

let package = Package(
    name: "Faults",
    platforms: [.macOS(.v26)],
    dependencies: [.package(name: "SealedCookie", path: "../..")],
    targets: [
        .target(
            name: "CFaults", cSettings: [.unsafeFlags(["-O1"])],
            linkerSettings: [.linkedLibrary("crypto"), .linkedLibrary("z"), .linkedLibrary("dl")]),
        .executableTarget(name: "faults", dependencies: ["CFaults", library]),
        .target(name: "CMemory", cSettings: [.unsafeFlags(["-O1"])]),
        .executableTarget(name: "memory", dependencies: ["CMemory", library]),
        .target(name: "CSecrets", cSettings: [.unsafeFlags(["-O1"])]),
        .executableTarget(name: "constant-time", dependencies: ["CSecrets", library]),
    ]
)
