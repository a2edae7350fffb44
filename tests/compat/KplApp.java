// A producer as its users write it with the Kinesis Producer Library, against the TLS port of the broker at COMPAT_HOST and COMPAT_PORT: 10,000
// user records, which the library aggregates. kpl_test.py runs it and reads them back. It ends when its standard
// input does, with another code than 0 where a record was not put.
import com.google.common.util.concurrent.ListenableFuture;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.kinesis.producer.KinesisProducer;
import software.amazon.kinesis.producer.KinesisProducerConfiguration;
import software.amazon.kinesis.producer.UserRecordResult;

public class KplApp {
  public static void main(String[] arguments) throws Exception {
    String host = System.getenv("COMPAT_HOST");
    long port = Long.parseLong(System.getenv("COMPAT_PORT"));
    StaticCredentialsProvider credentials = StaticCredentialsProvider.create(
        AwsBasicCredentials.create(System.getenv("COMPAT_ACCESS_KEY"), System.getenv("COMPAT_SECRET_KEY")));
    KinesisProducerConfiguration configuration = new KinesisProducerConfiguration()
        .setRegion("us-east-1").setCredentialsProvider(credentials)
        .setKinesisEndpoint(host).setKinesisPort(port)
        .setCloudwatchEndpoint(host).setCloudwatchPort(port)
        .setVerifyCertificate(false)
        .setMetricsUploadDelay(1_000)
        .setTempDirectory(System.getenv("COMPAT_TEMPORARY"));
    KinesisProducer producer = new KinesisProducer(configuration);
    List<ListenableFuture<UserRecordResult>> results = new ArrayList<>();
    for (int i = 0; i < 10_000; ++i) {
      ByteBuffer data = ByteBuffer.wrap(("{\"id\":" + i + "}").getBytes(StandardCharsets.UTF_8));
      results.add(producer.addUserRecord("kpl", "key-" + i % 100, data));
    }
    producer.flushSync();
    int put = 0;
    for (ListenableFuture<UserRecordResult> result : results) {
      if (result.get().isSuccessful()) ++put;
    }
    System.out.println("put " + put);
    System.out.flush();
    while (System.in.read() >= 0) {
    }
    producer.destroy();
    System.exit(put == 10_000 ? 0 : 1);
  }
}
