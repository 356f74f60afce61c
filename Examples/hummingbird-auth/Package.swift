// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
]

// The folder of a checkout of hummingbird-auth. (Its name must not be this package's own.) Without it, the middleware
// is built on StandIn, which declares what the middleware uses of hummingbird-auth.
let checkout = Context.environment["HUMMINGBIRD_AUTH"]
let auth: Target.Dependency =
    if let checkout, let folder = checkout.split(separator: "/").last {
        .product(name: "HummingbirdAuth", package: String(folder))
    } else {
        .target(name: "HummingbirdAuth")
    }

let package = Package(
    name: "hummingbird-auth-sessions",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(name: "SealedCookie", path: "../.."),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
    ],
    targets: [
        .target(
            name: "SealedSessions",
            dependencies: [
                .product(name: "SealedCookie", package: "SealedCookie"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                auth,
            ],
            path: "Sources",
            swiftSettings: strict
        ),
        .testTarget(
            name: "SealedSessionsTests",
            dependencies: [
                "SealedSessions", auth, .product(name: "HummingbirdTesting", package: "hummingbird"),
            ],
            path: "Tests",
            swiftSettings: strict + (checkout == nil ? [.define("STANDIN")] : [])
        ),
    ]
)

if let checkout {
    package.dependencies.append(.package(path: checkout))
} else {
    package.targets.append(
        .target(
            name: "HummingbirdAuth",
            dependencies: [.product(name: "Hummingbird", package: "hummingbird")],
            path: "StandIn",
            swiftSettings: strict
        ))
}
