// swift-tools-version: 6.2
import PackageDescription

/// The settings that the code is written for, whoever builds it.
let language: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// Only if the package builds itself: the Makefile sets this. In a dependent package, a newer compiler's warning would
// be an error that no one there can fix, and a build system that silences dependencies refuses the flag.
let isStrict = Context.environment["SEALED_COOKIE_STRICT"] == "1"
let settings = language + (isStrict ? [.strictMemorySafety(), .treatAllWarnings(as: .error)] : [])

// The folders have the libraries' names. The modules have different names: a package with a module of the same name
// could not be used together with this one.
let package = Package(
    name: "SealedCookie",
    // The first version with InlineArray and UTF8Span. Not run here: the tests run on Linux.
    platforms: [.macOS(.v26)],
    products: [
        .library(name: "SealedCookie", targets: ["SealedCookie"]),
        .executable(name: "sealed-cookie", targets: ["sealed-cookie-cli"]),
    ],
    targets: [
        .systemLibrary(
            name: "SealedCookieOpenSSL", path: "Sources/COpenSSL", pkgConfig: "libcrypto",
            providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
        .systemLibrary(
            name: "SealedCookieZlib", path: "Sources/CZlib", pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .systemLibrary(name: "SealedCookieXattr", path: "Sources/CXattr"),
        .target(
            name: "SealedCookieLibc", dependencies: ["SealedCookieXattr"], path: "Sources/Libc",
            swiftSettings: settings),
        .target(
            name: "SealedCookie",
            dependencies: ["SealedCookieLibc", "SealedCookieOpenSSL", "SealedCookieZlib"],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "sealed-cookie-cli",
            dependencies: ["SealedCookie", "SealedCookieLibc"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SealedCookieTests",
            dependencies: [
                "SealedCookie", "SealedCookieLibc", "SealedCookieOpenSSL", "SealedCookieZlib",
                "sealed-cookie-cli",
            ],
            resources: [.copy("Vectors")],
            swiftSettings: settings
        ),
    ]
)
