// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "Fuzz",
    platforms: [.macOS(.v26)],
    dependencies: [.package(name: "SealedCookie", path: "..")],
    targets: [
        .executableTarget(
            name: "fuzz",
            dependencies: [.product(name: "SealedCookie", package: "SealedCookie")],
            swiftSettings: [.unsafeFlags(["-parse-as-library"])]
        )
    ]
)
