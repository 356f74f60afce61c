// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "Hostile",
    platforms: [.macOS(.v26)],
    dependencies: [.package(name: "SealedCookie", path: "../..")],
    targets: [
        .target(
            name: "CHostile",
            cSettings: [.unsafeFlags(["-O2"])],
            linkerSettings: [.linkedLibrary("z")]
        ),
        .executableTarget(
            name: "bounds",
            dependencies: ["CHostile", .product(name: "SealedCookie", package: "SealedCookie")]
        ),
        .executableTarget(
            name: "crime",
            dependencies: ["CHostile", .product(name: "SealedCookie", package: "SealedCookie")]
        ),
        .executableTarget(
            name: "soak",
            dependencies: [.product(name: "SealedCookie", package: "SealedCookie")]
        ),
    ]
)
