// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
]

var dependencies: [Package.Dependency] = [.package(name: "SealedCookie", path: "../../..")]
var targets: [Target] = []
let vapor: Target.Dependency
var testKit: [Target.Dependency] = []

if let source = Context.environment["SEALED_COOKIE_VAPOR"], !source.isEmpty {
    // Vapor itself: 1 takes it from GitHub, a path from that folder, whose name must be vapor.
    dependencies.append(
        source == "1"
            ? .package(url: "https://github.com/vapor/vapor.git", from: "4.122.0") : .package(path: source))
    vapor = .product(name: "Vapor", package: "vapor")
    testKit = [.product(name: "VaporTesting", package: "vapor")]
    targets.append(
        .executableTarget(
            name: "driver",
            dependencies: ["Sessions", vapor, .product(name: "SealedCookie", package: "SealedCookie")],
            path: "Driver",
            exclude: ["drive.py"],
            swiftSettings: strict
        ))
} else {
    // A stand-in with the few of its declarations that are used: so the files compile, and most of their tests run, where
    // Vapor is not at hand.
    dependencies += [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
    ]
    vapor = "Vapor"
    targets.append(
        .target(
            name: "Vapor",
            dependencies: [
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "StandIn",
            swiftSettings: strict
        ))
}

let package = Package(
    name: "vapor-sessions",
    platforms: [.macOS(.v26)],
    dependencies: dependencies,
    targets: targets + [
        .target(
            name: "Sessions",
            dependencies: [vapor, .product(name: "SealedCookie", package: "SealedCookie")],
            path: "Sources",
            swiftSettings: strict
        ),
        .testTarget(
            name: "SessionTests",
            dependencies: ["Sessions", vapor, .product(name: "SealedCookie", package: "SealedCookie")]
                + testKit,
            path: "Tests",
            swiftSettings: strict
        ),
    ]
)
