// swift-tools-version: 6.2
import PackageDescription

let library: Target.Dependency = .product(name: "SealedCookie", package: "sealed-cookie")

let package = Package(
    name: "everything",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(url: Context.environment["SEALED_COOKIE_CLONE"] ?? "", from: "1.0.0"),
        .package(path: "../neighbour"),
    ],
    targets: [
        .executableTarget(name: "plain", dependencies: [library]),
        .executableTarget(
            name: "main-actor", dependencies: [library], swiftSettings: [.defaultIsolation(MainActor.self)]),
        .executableTarget(
            name: "cxx", dependencies: [library], swiftSettings: [.interoperabilityMode(.Cxx)]),
        .executableTarget(
            name: "strict", dependencies: [library],
            swiftSettings: [
                .strictMemorySafety(), .treatAllWarnings(as: .error),
                .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
            ]),
        .executableTarget(
            name: "beside", dependencies: [library, .product(name: "Neighbour", package: "neighbour")]),
    ]
)
