// Makes and checks record batches with Kafka's own Java client; kafka_batches.txt beside this file is what it printed.
//
//   mvn dependency:copy-dependencies of org.apache.kafka:kafka-clients:4.1.0 into lib/, then
//   java -cp 'lib/*' KafkaBatches.java             prints a batch per line: a name, then its bytes in hex
//   java -cp 'lib/*' KafkaBatches.java HEX ..      reads batches given in hex and prints what is in them
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.*;
import org.apache.kafka.common.record.Record;

public class KafkaBatches {
  public static void main(String[] args) {
    if (args.length > 0) {
      for (String hex : args) read(hex);
      return;
    }
    threeRecords("none", Compression.NONE);
    threeRecords("gzip", Compression.gzip().build());
    threeRecords("snappy", Compression.snappy().build());
    threeRecords("lz4", Compression.lz4().build());
    threeRecords("zstd", Compression.zstd().build());
    oneRecord("idempotent", builder(Compression.NONE, TimestampType.CREATE_TIME, 4711L, (short) 3, 42, false));
    oneRecord("log_append_time", builder(Compression.NONE, TimestampType.LOG_APPEND_TIME, -1L, (short) -1, -1, false));
    oneRecord("transactional", builder(Compression.NONE, TimestampType.CREATE_TIME, 9L, (short) 0, 0, true));
    print("control", MemoryRecords.withEndTransactionMarker(
        0L, 1700000000000L, -1, 9L, (short) 0, new EndTransactionMarker(ControlRecordType.COMMIT, 1)));
    print("magic_1", MemoryRecords.withRecords(
        RecordBatch.MAGIC_VALUE_V1, Compression.NONE, new SimpleRecord(1700000000000L, bytes("k"), bytes("v"))));
  }

  static MemoryRecordsBuilder builder(
      Compression compression, TimestampType type, long producer, short epoch, int sequence, boolean transactional) {
    return new MemoryRecordsBuilder(
        ByteBuffer.allocate(1 << 16), RecordBatch.MAGIC_VALUE_V2, compression, type, 0L, 1700000001234L, producer, epoch,
        sequence, transactional, false, RecordBatch.NO_PARTITION_LEADER_EPOCH, 1 << 16);
  }

  static void threeRecords(String name, Compression compression) {
    MemoryRecordsBuilder builder = builder(compression, TimestampType.CREATE_TIME, -1L, (short) -1, -1, false);
    Header[] headers = {new RecordHeader("trace", bytes("abc")), new RecordHeader("none", null)};
    builder.append(1700000000000L, bytes("user-1"), bytes("first"), headers);
    builder.append(1700000000005L, null, bytes("second second second second second second second second"));
    builder.append(1699999999990L, bytes(""), null);
    print(name, builder.build());
  }

  static void oneRecord(String name, MemoryRecordsBuilder builder) {
    builder.append(1700000000000L, bytes("k"), bytes("v"));
    print(name, builder.build());
  }

  static void print(String name, MemoryRecords records) {
    StringBuilder line = new StringBuilder(name).append(' ');
    ByteBuffer buffer = records.buffer();
    while (buffer.hasRemaining()) line.append(String.format("%02x", buffer.get()));
    System.out.println(line);
  }

  static void read(String hex) {
    byte[] bytes = new byte[hex.length() / 2];
    for (int i = 0; i < bytes.length; i++) bytes[i] = (byte) Integer.parseInt(hex.substring(2 * i, 2 * i + 2), 16);
    for (RecordBatch batch : MemoryRecords.readableRecords(ByteBuffer.wrap(bytes)).batches()) {
      batch.ensureValid();
      System.out.println(batch.compressionType() + " producer " + batch.producerId() + " sequence " + batch.baseSequence());
      for (Record record : batch) {
        System.out.print("  " + record.offset() + " " + record.timestamp() + " " + text(record.key()) + "=" + text(record.value()));
        for (Header header : record.headers()) {
          System.out.print(" " + header.key() + ":" + (header.value() == null ? "null" : new String(header.value())));
        }
        System.out.println();
      }
    }
  }

  static String text(ByteBuffer buffer) {
    return buffer == null ? "null" : StandardCharsets.UTF_8.decode(buffer).toString();
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
