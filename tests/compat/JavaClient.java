// The Java SDK v2 against the broker at COMPAT_ENDPOINT: the synchronous client (CBOR over HTTP/1.1) and the asynchronous one (CBOR over
// HTTP/2 with prior knowledge, but SubscribeToShard in JSON) each put and read the same. java_test.py runs it; any throw ends it with a code other than 0.
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.http.Http2Metric;
import software.amazon.awssdk.http.HttpMetric;
import software.amazon.awssdk.metrics.MetricCollection;
import software.amazon.awssdk.metrics.MetricPublisher;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.services.kinesis.model.*;
import software.amazon.awssdk.services.kinesis.model.Record;

public class JavaClient {
  static final URI ENDPOINT = URI.create(System.getenv("COMPAT_ENDPOINT"));
  static final Path ANSWERS = Path.of(System.getenv("COMPAT_ANSWERS"));
  static final StaticCredentialsProvider CREDENTIALS = StaticCredentialsProvider.create(
      AwsBasicCredentials.create(System.getenv("COMPAT_ACCESS_KEY"), System.getenv("COMPAT_SECRET_KEY")));

  /** Notes what a client's calls went over, and the content types of requests and answers. Writes the answers
   * down for model_check.py. */
  static class Watching implements MetricPublisher, ExecutionInterceptor {
    final Set<String> versions = new ConcurrentSkipListSet<>();
    final Set<String> types = new ConcurrentSkipListSet<>();

    @Override
    public void publish(MetricCollection metrics) {
      metrics.children().forEach(this::publish);
      if (metrics.metricValues(HttpMetric.HTTP_CLIENT_NAME).isEmpty()) return;
      // A stream of HTTP/2 has a window; what has none is HTTP/1.1.
      versions.add(metrics.metricValues(Http2Metric.LOCAL_STREAM_WINDOW_SIZE_IN_BYTES).isEmpty() ? "HTTP/1.1" : "HTTP/2");
    }

    @Override
    public void afterTransmission(Context.AfterTransmission call, ExecutionAttributes attributes) {
      types.add(call.httpRequest().firstMatchingHeader("Content-Type").orElse("none") + " -> "
          + call.httpResponse().firstMatchingHeader("Content-Type").orElse("none"));
    }

    @Override
    public Optional<InputStream> modifyHttpResponseContent(Context.ModifyHttpResponse call, ExecutionAttributes attributes) {
      return call.responseBody().map(stream -> {
        try {
          byte[] body = stream.readAllBytes();
          write(call, body);
          return new ByteArrayInputStream(body);
        } catch (IOException failed) {
          throw new UncheckedIOException(failed);
        }
      });
    }

    @Override
    public Optional<Publisher<ByteBuffer>> modifyAsyncHttpResponseContent(Context.ModifyHttpResponse call, ExecutionAttributes attributes) {
      return call.responsePublisher().map(body -> reader -> body.subscribe(new Copying(reader, copy -> write(call, copy))));
    }

    static synchronized void write(Context.ModifyHttpResponse call, byte[] body) {
      String line = "{\"target\": \"%s\", \"status\": %d, \"type\": \"%s\", \"body\": \"%s\"}\n".formatted(
          call.httpRequest().firstMatchingHeader("X-Amz-Target").get(), call.httpResponse().statusCode(),
          call.httpResponse().firstMatchingHeader("Content-Type").orElse(""), Base64.getEncoder().encodeToString(body));
      try {
        Files.writeString(ANSWERS, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      } catch (IOException failed) {
        throw new UncheckedIOException(failed);
      }
    }

    @Override
    public void close() {}

    void expectOnly(String version, Set<String> contentTypes) {
      expect(versions.equals(Set.of(version)), "calls went over " + versions + ", not " + version);
      expect(types.equals(contentTypes), "content types were " + types);
    }
  }

  /** Hands a body on to its reader, and a copy of it to {@code whole} before the reader hears of its end, or when it wants no more. */
  static class Copying implements Subscriber<ByteBuffer>, Subscription {
    final Subscriber<? super ByteBuffer> reader;
    final Consumer<byte[]> whole;
    final ByteArrayOutputStream copy = new ByteArrayOutputStream();
    final AtomicBoolean ended = new AtomicBoolean();
    Subscription source;

    Copying(Subscriber<? super ByteBuffer> reader, Consumer<byte[]> whole) {
      this.reader = reader;
      this.whole = whole;
    }

    void end() {
      if (!ended.getAndSet(true)) whole.accept(copy.toByteArray());
    }

    @Override
    public void onSubscribe(Subscription subscription) {
      source = subscription;
      reader.onSubscribe(this);
    }

    @Override
    public void onNext(ByteBuffer part) {
      byte[] bytes = new byte[part.remaining()];
      part.duplicate().get(bytes);
      copy.writeBytes(bytes);
      reader.onNext(part);
    }

    @Override
    public void onComplete() {
      end();
      reader.onComplete();
    }

    @Override
    public void onError(Throwable failed) {
      end();
      reader.onError(failed);
    }

    @Override
    public void request(long count) {
      source.request(count);
    }

    @Override
    public void cancel() {
      end();
      source.cancel();
    }
  }

  static final String CBOR = "application/x-amz-cbor-1.1";

  static void expect(boolean good, String what) {
    if (!good) throw new AssertionError(what);
  }

  static List<PutRecordsRequestEntry> entries() {
    List<PutRecordsRequestEntry> entries = new ArrayList<>();
    for (int i = 0; i < 100; ++i) {
      entries.add(PutRecordsRequestEntry.builder().partitionKey("key-" + i).data(SdkBytes.fromUtf8String("value " + i)).build());
    }
    return entries;
  }

  static void check(List<Record> records, Instant before) {
    expect(records.size() == 100, records.size() + " records");
    for (int i = 0; i < 100; ++i) {
      Record record = records.get(i);
      expect(record.partitionKey().equals("key-" + i), "key " + record.partitionKey());
      expect(record.data().asUtf8String().equals("value " + i), "data " + record.data().asUtf8String());
      Instant arrived = record.approximateArrivalTimestamp();
      expect(!arrived.isBefore(before) && !arrived.isAfter(Instant.now().plusSeconds(1)), "arrived at " + arrived);
    }
  }

  static GetShardIteratorRequest iterator(String stream, Instant from) {
    return GetShardIteratorRequest.builder().streamName(stream).shardId("shardId-000000000000")
        .shardIteratorType(ShardIteratorType.AT_TIMESTAMP).timestamp(from).build();
  }

  static void synchronous() {
    Watching wire = new Watching();
    try (KinesisClient client = KinesisClient.builder().endpointOverride(ENDPOINT).region(Region.US_EAST_1)
             .credentialsProvider(CREDENTIALS)
             .overrideConfiguration(config -> config.addMetricPublisher(wire).addExecutionInterceptor(wire)).build()) {
      Instant before = Instant.now().minusSeconds(1);
      client.createStream(request -> request.streamName("java").shardCount(1));
      client.waiter().waitUntilStreamExists(request -> request.streamName("java"));
      StreamDescriptionSummary summary =
          client.describeStreamSummary(request -> request.streamName("java")).streamDescriptionSummary();
      expect(!summary.streamCreationTimestamp().isBefore(before.minusSeconds(1)), "made at " + summary.streamCreationTimestamp());
      expect(client.putRecords(request -> request.streamName("java").records(entries())).failedRecordCount() == 0, "failed records");
      String place = client.getShardIterator(iterator("java", before)).shardIterator();
      check(client.getRecords(request -> request.shardIterator(place)).records(), before);
      try {
        client.describeStream(request -> request.streamName("none"));
        throw new AssertionError("a stream that is not there is described");
      } catch (ResourceNotFoundException expected) {
        expect(expected.getMessage().contains("Stream none under account"), expected.getMessage());
      }
      client.deleteStream(request -> request.streamName("java"));
      wire.expectOnly("HTTP/1.1", Set.of(CBOR + " -> " + CBOR));
    }
  }

  /** Subscribes from a position until there are {@code count} records: their data; {@code next} gets where to go on. */
  static List<String> follow(KinesisAsyncClient client, String consumerArn, StartingPosition from, int count, StringBuilder next) {
    List<String> data = new ArrayList<>();
    CompletableFuture<Void> enough = new CompletableFuture<>();
    SubscribeToShardResponseHandler handler = SubscribeToShardResponseHandler.builder()
        .onError(enough::completeExceptionally)
        .subscriber(SubscribeToShardResponseHandler.Visitor.builder().onSubscribeToShardEvent(event -> {
          if (data.size() >= count) return;
          event.records().forEach(record -> data.add(record.data().asUtf8String()));
          next.setLength(0);
          next.append(event.continuationSequenceNumber());
          if (data.size() >= count) enough.complete(null);
        }).build())
        .build();
    CompletableFuture<Void> call = client.subscribeToShard(
        request -> request.consumerARN(consumerArn).shardId("shardId-000000000000").startingPosition(from), handler);
    call.whenComplete((ignored, error) -> enough.completeExceptionally(
        error != null ? error : new AssertionError("the subscription ended after " + data.size() + " records")));
    enough.orTimeout(60, TimeUnit.SECONDS).join();
    call.cancel(true);
    return data;
  }

  static String register(KinesisAsyncClient client, String streamArn, String name) {
    String arn = client.registerStreamConsumer(request -> request.streamARN(streamArn).consumerName(name)).join().consumer().consumerARN();
    ConsumerDescription described = client.describeStreamConsumer(request -> request.consumerARN(arn)).join().consumerDescription();
    expect(described.consumerStatus() == ConsumerStatus.ACTIVE, "the consumer is " + described.consumerStatusAsString());
    return arn;
  }

  /** Everything that is there, then what is put meanwhile, from exactly behind it. */
  static void fanOut(KinesisAsyncClient client) {
    String streamArn = client.describeStreamSummary(request -> request.streamName("java-async")).join().streamDescriptionSummary().streamARN();
    StringBuilder next = new StringBuilder();
    List<String> there = follow(client, register(client, streamArn, "first"),
        StartingPosition.builder().type(ShardIteratorType.TRIM_HORIZON).build(), 100, next);
    expect(there.size() == 100 && there.get(99).equals("value 99"), "there are " + there);
    String second = register(client, streamArn, "second");
    StartingPosition behind = StartingPosition.builder().type(ShardIteratorType.AFTER_SEQUENCE_NUMBER).sequenceNumber(next.toString()).build();
    CompletableFuture<List<String>> following =
        CompletableFuture.supplyAsync(() -> follow(client, second, behind, 20, new StringBuilder()));
    List<String> later = new ArrayList<>();
    for (int i = 0; i < 20; ++i) {
      String text = "later " + i;
      later.add(text);
      client.putRecord(request -> request.streamName("java-async").partitionKey("k").data(SdkBytes.fromUtf8String(text))).join();
    }
    expect(following.join().equals(later), "other records came than were put");
  }

  static void asynchronous() {
    Watching wire = new Watching();
    try (KinesisAsyncClient client = KinesisAsyncClient.builder().endpointOverride(ENDPOINT).region(Region.US_EAST_1)
             .credentialsProvider(CREDENTIALS)
             .overrideConfiguration(config -> config.addMetricPublisher(wire).addExecutionInterceptor(wire)).build()) {
      Instant before = Instant.now().minusSeconds(1);
      client.createStream(request -> request.streamName("java-async").shardCount(1)).join();
      client.putRecords(request -> request.streamName("java-async").records(entries())).join();
      String place = client.getShardIterator(iterator("java-async", before)).join().shardIterator();
      check(client.getRecords(request -> request.shardIterator(place)).join().records(), before);
      fanOut(client);
      List<CompletableFuture<PutRecordResponse>> answers = new ArrayList<>();
      for (int i = 0; i < 50; ++i) {
        answers.add(client.putRecord(
            request -> request.streamName("java-async").partitionKey("k").data(SdkBytes.fromByteArray(new byte[20_000]))));
      }
      expect(answers.stream().map(answer -> answer.join().sequenceNumber()).distinct().count() == 50, "numbers that are the same");
      client.deleteStream(request -> request.streamName("java-async").enforceConsumerDeletion(true)).join();
      wire.expectOnly("HTTP/2", Set.of(CBOR + " -> " + CBOR, "application/x-amz-json-1.1 -> application/vnd.amazon.eventstream"));
    }
  }

  public static void main(String[] arguments) {
    synchronous();
    asynchronous();
  }
}
