/// The named limits of the service. Bytes of UTF-8, unless said otherwise.
public struct ServiceLimits: Sendable {
  /// Characters of an id that a caller chooses: conversation and request.
  public var idCharactersMax = 128
  /// Messages in one Append.
  public var messagesPerAppendMax = 1000
  /// Content, name and tool calls of one message together.
  public var messageBytesMax = 4 << 20
  public var metadataEntriesMax = 64
  /// Names and values of one metadata map together.
  public var metadataBytesMax = 16 << 10
  /// Characters of a speaker's or function's name.
  public var nameCharactersMax = 64
  public var toolCallsMax = 128
  public var toolsMax = 128
  public var stopTextsMax = 4
  public var stopBytesMax = 256
  public var pageSizeDefault = 50
  public var pageSizeMax = 1000
  /// A longer text is counted off the loop.
  public var countedOnLoopMax = 16 << 10
  /// Conversations whose unchanging parts a reactor remembers.
  public var rememberedConversationsMax = 10_000
  /// Generations at once on one reactor; more are refused as overloaded.
  public var turnsMax = 4096
  /// Generations at once on one reactor whose callers have gone; more are cancelled.
  public var drainsMax = 256
  /// How long a settle is tried before its incarnation is given up.
  public var settleTimeMax = Duration.seconds(600)
  /// How often the database may refuse a settle before that.
  public var settleRefusalsMax = 5
  /// How often a reactor asks for the configuration's version.
  public var configurationPoll = Duration.seconds(1)
  /// A configuration that could not be confirmed for so long refuses every call.
  public var configurationAgeMax = Duration.seconds(10)
  /// An unknown key makes a reactor look for a newer configuration, at most so often.
  public var unknownKeyPoll = Duration.milliseconds(250)
  /// How often a reactor asks whether one of its generations is to stop.
  public var stopPoll = Duration.seconds(1)
  /// Turns that one call of the reaper resolves.
  public var reapedPerCallMax = 100

  /// The defaults.
  public init() {}
}
