// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "Browsers",
    platforms: [.macOS(.v26)],
    dependencies: [.package(name: "SealedCookie", path: "../..")],
    targets: [
        .executableTarget(
            name: "forms",
            dependencies: [.product(name: "SealedCookie", package: "SealedCookie")]
        )
    ]
)
