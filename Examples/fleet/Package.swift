// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "fleet",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(name: "SealedCookie", path: "../.."),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    ],
    targets: [
        .executableTarget(
            name: "fleet",
            dependencies: [
                .product(name: "SealedCookie", package: "SealedCookie"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            path: "Sources",
            swiftSettings: [
                .swiftLanguageMode(.v6),
                .treatAllWarnings(as: .error),
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("MemberImportVisibility"),
            ]
        )
    ]
)
