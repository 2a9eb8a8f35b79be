metadata description = 'The storage account: the host\'s own state, the deployed package, the queues, and what is too large for them. It has no usable keys.'

param accountName string
param location string
param tags object

@description('The blob container from which the platform takes the app.')
param deploymentContainerName string

@description('Days for which dead letters are kept: as long as the clean-up keeps what a dead letter points to.')
param deadLetterRetentionDays int

@description('The principal of the app.')
param appPrincipalId string

var queueNames = ['orders', 'plan-runs', 'plan-tasks', 'assignments', 'webhooks']
// The host makes these itself when the first message fails. Made here, they can be watched from the first day.
var poisonQueueNames = map(queueNames, name => '${name}-poison')

// Contents of messages that are too large for a queue. Compared with the code by tests/infra/test_stores.py.
var claimsContainerName = 'claims'
// A message waits at most 7 days, and 7 more among the poison; then its dead letter is kept. The app's nightly clean-up
// removes blobs earlier than this: the rule is for an app that does not run.
var claimsLifeDays = 30 + deadLetterRetentionDays

// Blobs: the host's locks and keys, the package, and large messages. Queues: send, receive, make. Tables: the host's diagnostic events.
var appRoles = [
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b' // Storage Blob Data Owner
  '974c5e8b-45b9-4653-ba55-5f855dd0fb88' // Storage Queue Data Contributor
  '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3' // Storage Table Data Contributor
]

module account 'br/public:avm/res/storage/storage-account:0.32.0' = {
  name: 'account'
  params: {
    name: accountName
    location: location
    tags: tags
    kind: 'StorageV2'
    skuName: 'Standard_LRS'
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    // Order providers and the platform come from outside: without a virtual network there is no inside. See docs/deploy.md.
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: 'Allow'
    }
    blobServices: {
      containers: [
        {
          name: deploymentContainerName
          publicAccess: 'None'
        }
        {
          name: claimsContainerName
          publicAccess: 'None'
        }
      ]
      deleteRetentionPolicyEnabled: true
      deleteRetentionPolicyDays: 7
      containerDeleteRetentionPolicyEnabled: true
      containerDeleteRetentionPolicyDays: 7
    }
    managementPolicyRules: [
      {
        enabled: true
        name: 'forget-claims'
        type: 'Lifecycle'
        definition: {
          actions: { baseBlob: { delete: { daysAfterCreationGreaterThan: claimsLifeDays } } }
          filters: {
            blobTypes: ['blockBlob']
            prefixMatch: ['${claimsContainerName}/']
          }
        }
      }
    ]
    queueServices: {
      queues: map(concat(queueNames, poisonQueueNames), name => { name: name })
    }
    roleAssignments: map(appRoles, role => {
      principalId: appPrincipalId
      principalType: 'ServicePrincipal'
      roleDefinitionIdOrName: role
    })
    enableTelemetry: false
  }
}

output endpoints object = account.outputs.serviceEndpoints
