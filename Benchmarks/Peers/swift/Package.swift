// swift-tools-version: 6.2
import PackageDescription

// run.py sets this if swift-crypto cannot be fetched: that peer is then left out, and ours is measured anyway.
let withoutCrypto = Context.environment["PEERS_WITHOUT_SWIFT_CRYPTO"] != nil

let package = Package(
    name: "swift-peers",
    platforms: [.macOS(.v26)],
    dependencies: [.package(name: "SealedCookie", path: "../../..")]
        + (withoutCrypto ? [] : [.package(url: "https://github.com/apple/swift-crypto", from: "4.0.0")]),
    targets: [
        .executableTarget(
            name: "swift-peers",
            dependencies: [.product(name: "SealedCookie", package: "SealedCookie")]
                + (withoutCrypto ? [] : [.product(name: "Crypto", package: "swift-crypto")])
        )
    ]
)
