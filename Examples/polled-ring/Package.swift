// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
]

let package = Package(
    name: "polled-ring",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(name: "SealedCookie", path: "../.."),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
    ],
    targets: [
        .executableTarget(
            name: "polled-ring",
            dependencies: [
                .product(name: "SealedCookie", package: "SealedCookie"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources",
            swiftSettings: strict
        ),
        .testTarget(
            name: "PolledRingTests", dependencies: ["polled-ring"], path: "Tests", exclude: ["vault.py"],
            swiftSettings: strict),
    ]
)
