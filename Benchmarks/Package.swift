// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "Benchmarks",
    platforms: [.macOS(.v26)],
    dependencies: [.package(name: "SealedCookie", path: "..")],
    targets: [
        .target(
            name: "CFloor",
            cSettings: [.unsafeFlags(["-O2"])],
            linkerSettings: [.linkedLibrary("crypto"), .linkedLibrary("z")]
        ),
        .executableTarget(
            name: "sealed-cookie-bench",
            dependencies: ["CFloor", .product(name: "SealedCookie", package: "SealedCookie")]
        ),
    ]
)
