import Testing

@testable import Tokenizer

@Suite struct OverheadTests {
  @Test func messagesNamesAndTheRequest() {
    let overhead = ChatOverhead.gpt4o
    let encoding = Encoding.o200kBase
    let message = ChatMessage(role: "user", strings: ["hello world"])
    #expect(overhead.count(message, in: encoding) == 3 + 1 + 2)
    let named = ChatMessage(role: "user", name: "user", strings: ["hello world"])
    #expect(overhead.count(named, in: encoding) == 3 + 1 + 2 + 1 + 1)
    #expect(overhead.count(messages: [message, named], in: encoding) == 3 + 6 + 8)
    #expect(overhead.count(messages: [], in: encoding) == 3)
  }

  @Test func toolsWithPropertiesAndEnumerations() {
    let encoding = Encoding.o200kBase
    let tool = ChatTool(
      name: "get_weather", description: "Gets the weather.",
      properties: [
        .init(key: "unit", type: "string", description: "The unit.", items: ["celsius", "kelvin"])
      ])
    let texts =
      encoding.count("get_weather:Gets the weather") + encoding.count("unit:string:The unit")
      + encoding.count("celsius") + encoding.count("kelvin")
    #expect(ChatOverhead.gpt4o.count(tools: [tool], in: encoding) == texts + 12 + 7 + 3 + 3 - 3 + 6)
    #expect(ChatOverhead.gpt4.count(tools: [tool], in: encoding) == texts + 12 + 10 + 3 + 3 - 3 + 6)
    #expect(ChatOverhead.gpt4o.count(tools: [], in: encoding) == 0)
  }

  @Test(arguments: [
    (1_024, 1_024, 765), (2_048, 4_096, 1_105), (512, 512, 255), (1, 1, 255), (768, 768, 765),
    (1_025, 100, 595), (4_096, 100, 765), (10_000, 10_000, 765), (769, 769, 765),
    (2_048, 768, 1_445),
  ])
  func imageTiles(width: Int, height: Int, tokens: Int) {
    #expect(ChatOverhead.gpt4o.count(ChatImage(width: width, height: height)) == tokens)
    #expect(ChatOverhead.gpt4o.count(ChatImage(width: height, height: width)) == tokens)
  }

  @Test func lowDetailIsTheBase() {
    let image = ChatImage(width: 4_096, height: 4_096, isLowDetail: true)
    #expect(ChatOverhead.gpt4o.count(image) == 85)
  }

  @Test func familiesByTheLongestPrefix() {
    #expect(Encoding.forModelFamily("gpt-4.1") == .o200kBase)
    #expect(Encoding.forModelFamily("gpt-4o-mini") == .o200kBase)
    #expect(Encoding.forModelFamily("gpt-4-turbo") == .cl100kBase)
    #expect(Encoding.forModelFamily("openai/GPT-4.1-mini") == .o200kBase)
    #expect(Encoding.forModelFamily("deepseek-v3.2") == .deepSeekV3)
    #expect(Encoding.forModelFamily("claude-sonnet-4.5") == nil)
    #expect(ModelFamily.of(model: "gemini-2.5-flash")?.prefix == "gemini")
    #expect(ModelFamily.of(model: "unheard-of") == nil)
    #expect(ModelFamily.of(model: "") == nil)
  }
}

@Suite struct EstimatorTests {
  @Test func exactFamilyLearnsAnAdditiveConstant() {
    var estimator = TokenEstimator(.exact(.o200kBase))
    #expect(estimator.estimate(local: 1_000, messages: 4) == 1_000)
    for turn in 1...40 {
      let local = 500 + 377 * (turn % 11)
      estimator.observe(reported: local + 120 + 5 * turn % 9, local: local, messages: turn % 9)
    }
    #expect(estimator.ratio == 1)
    #expect(abs(estimator.estimate(local: 3_000, messages: 4) - 3_124) < 8)
    #expect(estimator.meanAbsoluteError! < 30)
  }

  @Test func exactFamilyNeverGoesBelowTheLocalCount() {
    var estimator = TokenEstimator(.exact(.o200kBase))
    for _ in 0..<20 { estimator.observe(reported: 100, local: 1_000, messages: 3) }
    #expect(estimator.estimate(local: 1_000, messages: 3) == 1_000)
    #expect(
      estimator.estimate(reportedPrefix: 100, appendedLocal: 50, appendedMessages: 1) >= 150)
  }

  @Test func otherFamiliesLearnTheirRatio() {
    var estimator = TokenEstimator(.estimated(by: .o200kBase, ratio: 1.35))
    #expect(estimator.estimate(local: 1_000, messages: 1) == 1_350)
    for turn in 1...60 {
      let local = 400 * (1 + turn % 13)
      estimator.observe(
        reported: Int(1.18 * Double(local)) + 40 + 6 * (turn % 7), local: local,
        messages: turn % 7)
    }
    #expect(abs(estimator.ratio - 1.18) < 0.02)
    let truth = 1.18 * 5_000 + 40 + 24
    #expect(abs(Double(estimator.estimate(local: 5_000, messages: 4)) - truth) < 60)
  }

  @Test func upperBoundCoversTheQuantile() {
    var estimator = TokenEstimator(.exact(.o200kBase))
    #expect(estimator.upperBound(local: 1_600, messages: 1) == 1_700)
    for turn in 0..<200 {
      let noise = [0, 5, 40, 10][turn % 4]
      estimator.observe(reported: 2_000 + noise, local: 2_000, messages: 2)
    }
    #expect(estimator.upperBound(local: 2_000, messages: 2, quantile: 1) >= 2_040)
    #expect(estimator.upperBound(local: 2_000, messages: 2, quantile: 0.5) < 2_030)
  }

  @Test func nonsenseIsIgnoredAndExtremesDoNotTrap() {
    var estimator = TokenEstimator(.exact(.o200kBase))
    estimator.observe(reported: 0, local: 5, messages: 1)
    estimator.observe(reported: -1, local: 5, messages: 1)
    #expect(estimator.observations == 0)
    estimator.observe(reported: .max, local: 1, messages: 1)
    #expect(estimator.estimate(local: 1, messages: 1_000_000) > 0)
    estimator.reset()
    #expect(estimator == TokenEstimator(.exact(.o200kBase)))
  }
}
