/// What an API key may do; each RPC asks for one scope.
public enum KeyScope: String, Sendable, CaseIterable {
  /// Get, List, ListMessages, PreviewContext, CountTokens, GetModels.
  case read
  /// Create, Append, Delete, Pin, Fork.
  case write
  /// Generate, StreamGenerate, ResumeGenerate, StopGenerate, Summarize: what costs money.
  case generate
  /// GetUsage.
  case usage
}
