// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "Differential",
    platforms: [.macOS(.v26)],
    dependencies: [.package(name: "SealedCookie", path: "../..")],
    targets: [
        .executableTarget(
            name: "differential",
            dependencies: [.product(name: "SealedCookie", package: "SealedCookie")]
        )
    ]
)
