// swift-tools-version: 6.2
import PackageDescription

// run.py sets this where swift-crypto cannot be fetched: that peer is left out then, ours is measured all the same.
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
