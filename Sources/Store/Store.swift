public import Postgres

/// Everything that recountd stores, on one reactor. Its methods are in one file per aggregate.
///
/// - Isolation: its database's reactor; async methods run on the caller's isolation, which is the
///   reactor's core.
/// - Throws: `StoreError`; outcomes that are to be expected are values.
public final class Store {
  let database: Database

  public init(_ database: Database) { self.database = database }

  /// Runs a batched operation.
  func submit<Operation: BatchOperation>(
    _ operation: Operation
  ) async throws(StoreError) -> Operation.Outcome {
    do {
      return try await database.submit(operation)
    } catch {
      throw StoreError(error)
    }
  }

  /// Runs a statement of its own.
  func query(
    _ statement: Statement, _ parameters: Parameters = Parameters()
  ) async throws(StoreError) -> Rows {
    do {
      return try await database.query(statement, parameters)
    } catch {
      throw StoreError(error)
    }
  }
}
