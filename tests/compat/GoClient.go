// The Go SDK v2 against the broker at COMPAT_ENDPOINT: a stream's life, records in both directions, enhanced fan-out, pages, a waiter, errors.
// With COMPAT_CERTIFICATE it trusts that certificate and expects HTTP/2, which TLS negotiates. go_test.py runs it; a panic
// ends it with a code other than 0.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

var ctx = context.Background()

func expect(good bool, what string, values ...any) {
	if !good {
		panic(fmt.Sprintf(what, values...))
	}
}

func must[T any](value T, err error) T {
	expect(err == nil, "%v", err)
	return value
}

// Notes the versions of HTTP that answers came in, and writes the answers but streams down for model_check.py.
type watching struct {
	inner    aws.HTTPClient
	versions map[string]int
	answers  *os.File
}

func (w watching) Do(request *http.Request) (*http.Response, error) {
	response, err := w.inner.Do(request)
	if err == nil {
		w.versions[response.Proto]++
	}
	if err == nil && response.Header.Get("Content-Type") != "application/vnd.amazon.eventstream" {
		body := must(io.ReadAll(response.Body))
		response.Body = io.NopCloser(bytes.NewReader(body))
		must(w.answers.Write(append(must(json.Marshal(map[string]any{
			"target": request.Header.Get("X-Amz-Target"), "status": response.StatusCode, "type": response.Header.Get("Content-Type"), "body": body,
		})), '\n')))
	}
	return response, err
}

func httpClient() aws.HTTPClient {
	file := os.Getenv("COMPAT_CERTIFICATE")
	if file == "" {
		return awshttp.NewBuildableClient()
	}
	roots := x509.NewCertPool()
	expect(roots.AppendCertsFromPEM(must(os.ReadFile(file))), "%s holds no certificate", file)
	return awshttp.NewBuildableClient().WithTransportOptions(func(transport *http.Transport) {
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	})
}

var credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: os.Getenv("COMPAT_ACCESS_KEY"), SecretAccessKey: os.Getenv("COMPAT_SECRET_KEY")}, nil
})

func connect(client aws.HTTPClient) *kinesis.Client {
	return kinesis.New(kinesis.Options{
		BaseEndpoint:     aws.String(os.Getenv("COMPAT_ENDPOINT")),
		Region:           "eu-central-1",
		Credentials:      credentials,
		HTTPClient:       client,
		RetryMaxAttempts: 1,
	})
}

func create(client *kinesis.Client, name *string, shards int32) {
	must(client.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: name, ShardCount: aws.Int32(shards)}))
	waiter := kinesis.NewStreamExistsWaiter(client)
	expect(waiter.Wait(ctx, &kinesis.DescribeStreamInput{StreamName: name}, 20*time.Second) == nil, "the stream is never there")
	summary := must(client.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: name})).StreamDescriptionSummary
	expect(*summary.OpenShardCount == shards && summary.StreamStatus == types.StreamStatusActive, "the summary is %+v", summary)
	age := time.Since(*summary.StreamCreationTimestamp)
	expect(age > -time.Minute && age < time.Minute, "the stream is %v old", age)
}

// All data of a shard, by its sequence number.
func read(client *kinesis.Client, name, shard *string) map[string]string {
	iterator := must(client.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{
		StreamName: name, ShardId: shard, ShardIteratorType: types.ShardIteratorTypeTrimHorizon})).ShardIterator
	data := map[string]string{}
	for {
		page := must(client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: iterator, Limit: aws.Int32(7)}))
		for _, record := range page.Records {
			data[*record.SequenceNumber] = string(record.Data)
		}
		if *page.MillisBehindLatest == 0 {
			return data
		}
		iterator = page.NextShardIterator
	}
}

func putAndGet(client *kinesis.Client, name *string, shards int) {
	var entries []types.PutRecordsRequestEntry
	for i := range 100 {
		entries = append(entries, types.PutRecordsRequestEntry{
			PartitionKey: aws.String(fmt.Sprintf("key-%d", i)), Data: []byte(fmt.Sprintf("\x00value %d\xff", i))})
	}
	put := must(client.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: name, Records: entries}))
	expect(*put.FailedRecordCount == 0, "%d records were not taken", *put.FailedRecordCount)
	one := must(client.PutRecord(ctx, &kinesis.PutRecordInput{
		StreamName: name, PartitionKey: aws.String("k"), ExplicitHashKey: aws.String("0"), Data: []byte("one")}))
	expect(*one.ShardId == "shardId-000000000000", "the record went to %s", *one.ShardId)

	data := map[string]string{}
	seen := 0
	for input := (&kinesis.ListShardsInput{StreamName: name, MaxResults: aws.Int32(2)}); input != nil; {
		page := must(client.ListShards(ctx, input))
		if input = nil; page.NextToken != nil {
			input = &kinesis.ListShardsInput{NextToken: page.NextToken, MaxResults: aws.Int32(2)}
		}
		seen += len(page.Shards)
		for _, shard := range page.Shards {
			for number, value := range read(client, name, shard.ShardId) {
				data[number] = value
			}
		}
	}
	expect(seen == shards, "there are %d shards", seen)
	expect(len(data) == 101 && data[*one.SequenceNumber] == "one", "%d records came back", len(data))
	for i, result := range put.Records {
		expect(data[*result.SequenceNumber] == string(entries[i].Data), "record %d came back as %q", i, data[*result.SequenceNumber])
	}
}

// Everything that a shard holds comes over a subscription too, in its order.
func fanOut(client *kinesis.Client, name *string) {
	shard := aws.String("shardId-000000000000")
	there := read(client, name, shard)
	summary := must(client.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: name})).StreamDescriptionSummary
	consumer := must(client.RegisterStreamConsumer(ctx, &kinesis.RegisterStreamConsumerInput{
		StreamARN: summary.StreamARN, ConsumerName: aws.String("reader")})).Consumer
	stream := must(client.SubscribeToShard(ctx, &kinesis.SubscribeToShardInput{
		ConsumerARN: consumer.ConsumerARN, ShardId: shard,
		StartingPosition: &types.StartingPosition{Type: types.ShardIteratorTypeTrimHorizon}})).GetStream()
	defer stream.Close()
	last := ""
	for seen := 0; seen < len(there); {
		event, open := <-stream.Events()
		expect(open, "the subscription ended after %d of %d records: %v", seen, len(there), stream.Err())
		records := event.(*types.SubscribeToShardEventStreamMemberSubscribeToShardEvent).Value.Records
		for _, record := range records {
			expect(there[*record.SequenceNumber] == string(record.Data), "%s came as %q", *record.SequenceNumber, record.Data)
			expect(*record.SequenceNumber > last, "%s came behind %s", *record.SequenceNumber, last)
			last = *record.SequenceNumber
		}
		seen += len(records)
	}
}

func errorsAndEnd(client *kinesis.Client, name *string) {
	_, err := client.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: name, ShardCount: aws.Int32(1)})
	var inUse *types.ResourceInUseException
	expect(errors.As(err, &inUse), "creating it again gives %v", err)
	must(client.DeleteStream(ctx, &kinesis.DeleteStreamInput{StreamName: name, EnforceConsumerDeletion: aws.Bool(true)}))
	_, err = client.DescribeStream(ctx, &kinesis.DescribeStreamInput{StreamName: name})
	var notFound *types.ResourceNotFoundException
	expect(errors.As(err, &notFound), "describing a deleted stream gives %v", err)
	listed := kinesis.NewListStreamsPaginator(client, &kinesis.ListStreamsInput{})
	for listed.HasMorePages() {
		for _, other := range must(listed.NextPage(ctx)).StreamNames {
			expect(other != *name, "a deleted stream is listed")
		}
	}
}

func main() {
	answers := must(os.OpenFile(os.Getenv("COMPAT_ANSWERS"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600))
	wire := watching{inner: httpClient(), versions: map[string]int{}, answers: answers}
	client := connect(wire)
	name := aws.String("go")
	create(client, name, 5)
	putAndGet(client, name, 5)
	fanOut(client, name)
	errorsAndEnd(client, name)
	deliveryStream(connectFirehose(wire), name)
	wanted := "HTTP/1.1"
	if os.Getenv("COMPAT_CERTIFICATE") != "" {
		wanted = "HTTP/2.0"
	}
	expect(len(wire.versions) == 1 && wire.versions[wanted] > 0, "answers came in %v", wire.versions)
	fmt.Printf("kept: %d answers in %s\n", wire.versions[wanted], wanted)
}
