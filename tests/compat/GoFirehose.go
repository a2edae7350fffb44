// The Go SDK v2 of Firehose: a delivery stream's life, records, an error. Part of GoClient.go's program.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
)

func connectFirehose(client aws.HTTPClient) *firehose.Client {
	return firehose.New(firehose.Options{
		BaseEndpoint:     aws.String(os.Getenv("COMPAT_ENDPOINT")),
		Region:           "eu-central-1",
		Credentials:      credentials,
		HTTPClient:       client,
		RetryMaxAttempts: 1,
	})
}

func describe(client *firehose.Client, name *string) *types.DeliveryStreamDescription {
	return must(client.DescribeDeliveryStream(ctx, &firehose.DescribeDeliveryStreamInput{DeliveryStreamName: name})).DeliveryStreamDescription
}

func deliveryStream(client *firehose.Client, name *string) {
	made := must(client.CreateDeliveryStream(ctx, &firehose.CreateDeliveryStreamInput{
		DeliveryStreamName: name,
		ExtendedS3DestinationConfiguration: &types.ExtendedS3DestinationConfiguration{
			RoleARN: aws.String("arn:aws:iam::000000000000:role/firehose"), BucketARN: aws.String("arn:aws:s3:::go"), Prefix: aws.String("a/")}}))
	expect(*made.DeliveryStreamARN == "arn:aws:firehose:eu-central-1:000000000000:deliverystream/"+*name, "the ARN is %s", *made.DeliveryStreamARN)
	one := must(client.PutRecord(ctx, &firehose.PutRecordInput{DeliveryStreamName: name, Record: &types.Record{Data: []byte("\x00one\xff")}}))
	ids := map[string]bool{*one.RecordId: true}
	var records []types.Record
	for i := range 500 {
		records = append(records, types.Record{Data: []byte(fmt.Sprintf("record %d\n", i))})
	}
	many := must(client.PutRecordBatch(ctx, &firehose.PutRecordBatchInput{DeliveryStreamName: name, Records: records}))
	for _, response := range many.RequestResponses {
		ids[*response.RecordId] = true
	}
	expect(*many.FailedPutCount == 0 && len(ids) == 501, "%d records have failed, there are %d ids", *many.FailedPutCount, len(ids))

	before := describe(client, name)
	expect(before.DeliveryStreamStatus == types.DeliveryStreamStatusActive, "it is %s", before.DeliveryStreamStatus)
	must(client.UpdateDestination(ctx, &firehose.UpdateDestinationInput{
		DeliveryStreamName: name, CurrentDeliveryStreamVersionId: before.VersionId, DestinationId: before.Destinations[0].DestinationId,
		ExtendedS3DestinationUpdate: &types.ExtendedS3DestinationUpdate{CompressionFormat: types.CompressionFormatGzip}}))
	after := describe(client, name)
	destination := after.Destinations[0].ExtendedS3DestinationDescription
	expect(*after.VersionId == "2" && *destination.Prefix == "a/" && destination.CompressionFormat == types.CompressionFormatGzip, "it is %+v", destination)

	must(client.DeleteDeliveryStream(ctx, &firehose.DeleteDeliveryStreamInput{DeliveryStreamName: name}))
	_, err := client.DescribeDeliveryStream(ctx, &firehose.DescribeDeliveryStreamInput{DeliveryStreamName: name})
	var notFound *types.ResourceNotFoundException
	expect(errors.As(err, &notFound), "describing a deleted delivery stream gives %v", err)
}
