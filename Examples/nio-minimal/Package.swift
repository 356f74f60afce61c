// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "nio-minimal",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(name: "SealedCookie", path: "../.."),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    ],
    targets: [
        .executableTarget(
            name: "nio-minimal",
            dependencies: [
                .product(name: "SealedCookie", package: "SealedCookie"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
            ],
            path: "Sources",
            swiftSettings: strict
        ),
        .testTarget(
            name: "NIOMinimalTests", dependencies: ["nio-minimal"], path: "Tests", swiftSettings: strict),
    ]
)
