// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "SealedCookie",
    products: [
        .library(name: "SealedCookie", targets: ["SealedCookie"]),
        .executable(name: "sealed-cookie", targets: ["sealed-cookie-cli"]),
    ],
    targets: [
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CXattr"),
        .target(
            name: "SealedCookie",
            dependencies: ["COpenSSL", "CZlib", "CXattr"],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "sealed-cookie-cli",
            dependencies: ["SealedCookie"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "SealedCookieTests",
            dependencies: ["SealedCookie", "COpenSSL", "sealed-cookie-cli"],
            resources: [.copy("Vectors")],
            swiftSettings: strict
        ),
    ]
)
