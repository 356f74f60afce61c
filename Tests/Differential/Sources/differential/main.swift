// Answers differential.mjs: a line for each line, by this library.
import Foundation

@testable import SealedCookie

var answers = Answers()
while let line = readLine() {
    FileHandle.standardOutput.write(Data((answers.said(of: line) + "\n").utf8))
}
