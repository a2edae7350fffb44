// The Java SDK v2 of Firehose against the broker at COMPAT_ENDPOINT: a delivery stream's life, records, an error. java_test.py runs it;
// any throw ends it with a code other than 0.
import java.net.URI;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.firehose.FirehoseClient;
import software.amazon.awssdk.services.firehose.model.*;
import software.amazon.awssdk.services.firehose.model.Record;

public class JavaFirehose {
  static final String NAME = "java";

  static void expect(boolean good, String what) {
    if (!good) throw new AssertionError(what);
  }

  static Record record(String text) { return Record.builder().data(SdkBytes.fromUtf8String(text)).build(); }

  static DeliveryStreamDescription describe(FirehoseClient client) {
    return client.describeDeliveryStream(request -> request.deliveryStreamName(NAME)).deliveryStreamDescription();
  }

  static void putRecords(FirehoseClient client) {
    Set<String> ids = new HashSet<>();
    ids.add(client.putRecord(request -> request.deliveryStreamName(NAME).record(record("one"))).recordId());
    List<Record> records = IntStream.range(0, 500).mapToObj(i -> record("record " + i + "\n")).toList();
    PutRecordBatchResponse many = client.putRecordBatch(request -> request.deliveryStreamName(NAME).records(records));
    many.requestResponses().forEach(response -> ids.add(response.recordId()));
    expect(many.failedPutCount() == 0 && ids.size() == 501, many.failedPutCount() + " failed, " + ids.size() + " ids");
  }

  static void update(FirehoseClient client) {
    DeliveryStreamDescription before = describe(client);
    expect(before.deliveryStreamStatus() == DeliveryStreamStatus.ACTIVE, "it is " + before.deliveryStreamStatusAsString());
    client.updateDestination(request -> request.deliveryStreamName(NAME).currentDeliveryStreamVersionId(before.versionId())
        .destinationId(before.destinations().get(0).destinationId())
        .extendedS3DestinationUpdate(change -> change.compressionFormat(CompressionFormat.GZIP)));
    DeliveryStreamDescription after = describe(client);
    ExtendedS3DestinationDescription destination = after.destinations().get(0).extendedS3DestinationDescription();
    expect(after.versionId().equals("2") && destination.compressionFormat() == CompressionFormat.GZIP && destination.prefix().equals("a/"),
        "it is " + after);
  }

  public static void main(String[] arguments) {
    StaticCredentialsProvider credentials = StaticCredentialsProvider.create(
        AwsBasicCredentials.create(System.getenv("COMPAT_ACCESS_KEY"), System.getenv("COMPAT_SECRET_KEY")));
    try (FirehoseClient client = FirehoseClient.builder().endpointOverride(URI.create(System.getenv("COMPAT_ENDPOINT")))
             .region(Region.US_EAST_1).credentialsProvider(credentials).build()) {
      String arn = client.createDeliveryStream(request -> request.deliveryStreamName(NAME).extendedS3DestinationConfiguration(
          destination -> destination.roleARN("arn:aws:iam::000000000000:role/firehose").bucketARN("arn:aws:s3:::java").prefix("a/")))
          .deliveryStreamARN();
      expect(arn.equals("arn:aws:firehose:us-east-1:000000000000:deliverystream/java"), "the ARN is " + arn);
      putRecords(client);
      update(client);
      client.deleteDeliveryStream(request -> request.deliveryStreamName(NAME));
      try {
        describe(client);
        throw new AssertionError("a delivery stream that is deleted is described");
      } catch (ResourceNotFoundException expected) {
        expect(expected.getMessage().contains("Firehose java under account"), expected.getMessage());
      }
    }
    System.out.println("kept: the Java SDK of Firehose");
  }
}
