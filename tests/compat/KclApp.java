// A consumer as its users write it with the Kinesis Client Library 3, with nothing but the broker at COMPAT_ENDPOINT: streams, leases and
// metrics. kcl_test.py runs several of them over one stream.
//
// Arguments: application, stream, worker, "polling" or "fanout". One line for each event on the standard output:
//   STARTED shard     a processor has got a lease
//   GOT shard value   a record
//   ENDED shard       the shard is read to its end
//   LOST shard        another worker has taken the lease
// It ends by itself when its standard input does, and gives its leases back then.
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.common.KinesisClientUtil;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.metrics.MetricsLevel;
import software.amazon.kinesis.processor.RecordProcessorCheckpointer;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.processor.SingleStreamTracker;
import software.amazon.kinesis.retrieval.KinesisClientRecord;
import software.amazon.kinesis.retrieval.polling.PollingConfig;

public class KclApp {
  static final URI ENDPOINT = URI.create(System.getenv("COMPAT_ENDPOINT"));
  static final StaticCredentialsProvider CREDENTIALS = StaticCredentialsProvider.create(
      AwsBasicCredentials.create(System.getenv("COMPAT_ACCESS_KEY"), System.getenv("COMPAT_SECRET_KEY")));

  static synchronized void say(String line) {
    System.out.println(line);
    System.out.flush();
  }

  /** Says what it gets, and checkpoints what it has said. */
  static class Processor implements ShardRecordProcessor {
    private String shard;

    @Override
    public void initialize(InitializationInput input) {
      shard = input.shardId();
      say("STARTED " + shard);
    }

    @Override
    public void processRecords(ProcessRecordsInput input) {
      for (KinesisClientRecord record : input.records()) {
        say("GOT " + shard + " " + StandardCharsets.UTF_8.decode(record.data()));
      }
      if (!input.records().isEmpty()) checkpoint(input.checkpointer());
    }

    @Override
    public void leaseLost(LeaseLostInput input) {
      say("LOST " + shard);
    }

    @Override
    public void shardEnded(ShardEndedInput input) {
      checkpoint(input.checkpointer());
      say("ENDED " + shard);
    }

    @Override
    public void shutdownRequested(ShutdownRequestedInput input) {
      checkpoint(input.checkpointer());
    }

    /** Where it fails (the broker is away, the lease is lost) the records come again, to this worker or to another. */
    private void checkpoint(RecordProcessorCheckpointer checkpointer) {
      try {
        checkpointer.checkpoint();
      } catch (Exception failed) {
        say("UNKEPT " + shard + " " + failed.getClass().getSimpleName());
      }
    }
  }

  public static void main(String[] arguments) throws Exception {
    String application = arguments[0];
    String stream = arguments[1];
    KinesisAsyncClient kinesis = KinesisClientUtil.createKinesisAsyncClient(
        KinesisAsyncClient.builder().endpointOverride(ENDPOINT).region(Region.US_EAST_1).credentialsProvider(CREDENTIALS));
    DynamoDbAsyncClient dynamodb =
        DynamoDbAsyncClient.builder().endpointOverride(ENDPOINT).region(Region.US_EAST_1).credentialsProvider(CREDENTIALS).build();
    CloudWatchAsyncClient cloudwatch =
        CloudWatchAsyncClient.builder().endpointOverride(ENDPOINT).region(Region.US_EAST_1).credentialsProvider(CREDENTIALS).build();

    SingleStreamTracker tracker = new SingleStreamTracker(
        stream, InitialPositionInStreamExtended.newInitialPosition(InitialPositionInStream.TRIM_HORIZON));
    ConfigsBuilder configs =
        new ConfigsBuilder(tracker, application, kinesis, dynamodb, cloudwatch, arguments[2], Processor::new);
    var retrieval = configs.retrievalConfig();
    if (arguments[3].equals("polling")) {
      PollingConfig polling = new PollingConfig(stream, kinesis);
      polling.idleTimeBetweenReadsInMillis(200);
      retrieval.retrievalSpecificConfig(polling);
    }
    Scheduler scheduler = new Scheduler(
        configs.checkpointConfig(),
        configs.coordinatorConfig().parentShardPollIntervalMillis(1_000).shardConsumerDispatchPollIntervalMillis(200),
        configs.leaseManagementConfig().failoverTimeMillis(3_000).shardSyncIntervalMillis(5_000)
            .leasesRecoveryAuditorExecutionFrequencyMillis(5_000).leasesRecoveryAuditorInconsistencyConfidenceThreshold(2)
            .dynamoDbLockBasedLeaderLeaseDurationInMillis(8_000L).dynamoDbLockBasedLeaderHeartbeatPeriodInMillis(2_000L),
        configs.lifecycleConfig(),
        configs.metricsConfig().metricsLevel(MetricsLevel.DETAILED).metricsBufferTimeMillis(2_000),
        configs.processorConfig(),
        retrieval);
    Thread thread = new Thread(scheduler, "scheduler");
    thread.setDaemon(true);
    thread.start();

    while (System.in.read() >= 0) {
    }
    scheduler.startGracefulShutdown().get(60, TimeUnit.SECONDS);
    say("STOPPED");
    System.exit(0);
  }
}
