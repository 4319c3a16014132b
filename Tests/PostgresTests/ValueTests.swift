import Postgres
import TestSupport
import Testing

@Suite struct ValueTests {
  @Test func scalarsComeBackAsTheyWent() throws {
    let database = try addingDatabase()
    let connection = try BlockingConnection.open(conninfo: database.conninfo())
    var p = Parameters()
    p.text("naïve 🌳")
    p.bytea([0, 255, 10])
    p.int64(.min)
    p.int32(-7)
    p.bool(true)
    p.uuid((0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210))
    p.timestamp(1_700_000_000_123_456)
    p.text(nil)
    p.bytea([])
    p.double(-0.25)
    let row = try connection.query(
      """
      SELECT $1::text, $2::bytea, $3::int8, $4::int4, $5::bool, $6::uuid, $7::timestamptz,
        $8::text, $9::bytea, $10::float8::text, $6::uuid::text,
        extract(epoch FROM $7::timestamptz)::text, 'infinity'::timestamptz
      """, p)[0]
    #expect(row.text(0) == "naïve 🌳")
    #expect(row.bytes(1) == [0, 255, 10])
    #expect(row.int64(2) == .min)
    #expect(row.int32(3) == -7)
    #expect(row.bool(4))
    #expect(row.uuid(5) == (0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210))
    #expect(row.timestamp(6) == 1_700_000_000_123_456)
    #expect(row.isNull(7))
    #expect(row.bytes(8) == [])
    #expect(row.text(9) == "-0.25")
    #expect(row.text(10) == "01234567-89ab-cdef-fedc-ba9876543210")
    #expect(row.text(11) == "1700000000.123456")
    #expect(row.timestamp(12) == .max)
  }

  @Test func arraysComeBackAsTheyWent() throws {
    let database = try addingDatabase()
    let connection = try BlockingConnection.open(conninfo: database.conninfo())
    var p = Parameters()
    p.texts(["a", nil, "", "{,\"}"])
    p.int64s([1, nil, -3])
    p.byteas([[1, 0, 2], nil, []])
    p.uuids([(1, 2), nil])
    p.bools([true, nil, false])
    p.int32s([])
    p.int16s([3])
    let row = try connection.query(
      """
      SELECT $1::text[], $2::int8[], $3::bytea[]::text, $4::uuid[]::text, $5::bool[]::text,
        $6::int4[], $7::int2[]::text, array_position($1::text[], NULL), $1::text[]
      """, p)[0]
    #expect(row.texts(0) == ["a", "", "", "{,\"}"])
    #expect(row.int32(7) == 2)
    #expect(row.text(2) == #"{"\\x010002",NULL,"\\x"}"#)
    #expect(
      row.text(3) == "{00000000-0000-0001-0000-000000000002,NULL}")
    #expect(row.text(4) == "{t,NULL,f}")
    #expect(row.texts(5) == [])
    #expect(row.text(6) == "{3}")
  }

  @Test func anErrorKeepsTheStateAlone() throws {
    let database = try addingDatabase()
    let connection = try BlockingConnection.open(conninfo: database.conninfo())
    let error = #expect(throws: PostgresError.self) { () throws in
      try connection.query("SELECT 'secret'::int8")
    }
    #expect(error == .server(SQLState("22P02")))
    #expect(!"\(error!)".contains("secret"))
  }

  @Test func noServerIsUnavailable() throws {
    #expect(throws: PostgresError.unavailable) {
      _ = try BlockingConnection.open(conninfo: "host=/nonexistent user=nobody")
    }
  }
}
