// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
]

// The folder of a checkout of swift-openapi-hummingbird, to run OpenAPITests on its transport.
let openAPI = Context.environment["OPENAPI_HUMMINGBIRD"]

let package = Package(
    name: "hummingbird-login",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(name: "SealedCookie", path: "../.."),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.5.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.100.0"),
    ],
    targets: [
        .executableTarget(
            name: "hummingbird-login",
            dependencies: [
                .product(name: "SealedCookie", package: "SealedCookie"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Sources",
            swiftSettings: strict
        ),
        .testTarget(
            name: "LoginTests",
            dependencies: [
                "hummingbird-login", .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ],
            path: "Tests",
            swiftSettings: strict + (openAPI == nil ? [] : [.define("OPENAPI")])
        ),
    ]
)

if let openAPI {
    package.dependencies.append(.package(path: openAPI))
    package.targets.last?.dependencies.append(
        .product(name: "OpenAPIHummingbird", package: "swift-openapi-hummingbird"))
}
