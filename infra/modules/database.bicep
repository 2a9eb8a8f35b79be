metadata description = 'Cosmos DB with the six containers. Access is by identity only, and the app may use data but make nothing.'

param accountName string
param databaseName string
param location string
param tags object

@description('0: serverless. Otherwise the autoscale limit of the database in RU/s, which all containers share.')
param autoscaleMaxRu int

@description('The principal of the app.')
param appPrincipalId string

var serverless = autoscaleMaxRu == 0
var cosmosDataContributor = '00000000-0000-0000-0000-000000000002'

// A document is an item {<partition field>, id, body}. Only what queries ask for is indexed: each further path would
// make every write dearer. `id` is always indexed. The paths are compared with the code by tests/infra/test_stores.py.
var containers = [
  {
    name: 'orders'
    partition: '/orderId'
    indexed: [
      '/body/kind/?'
      '/body/plannable/?'
      '/body/in_work/?'
      '/body/last_assigned_on/?'
      '/body/line_unassigned/?'
      '/body/line_assigned/?'
      '/body/line_picked/?'
      '/body/line_shipped/?'
      '/body/line_exception/?'
      '/body/line_cancelled/?'
      '/body/line_excluded/?'
      '/body/exception_no_quantity/?'
      '/body/exception_no_source/?'
      '/body/exception_not_in_plan/?'
      '/body/exception_rejected/?'
      '/body/exception_data_conflict/?'
      '/body/exception_no_location/?'
      '/body/exception_max_attempts/?'
      '/body/exception_max_rejects/?'
    ]
  }
  {
    name: 'stock'
    partition: '/sku'
    indexed: []
  }
  {
    name: 'plans'
    partition: '/planId'
    indexed: ['/body/kind/?', '/body/to_apply/?', '/body/state/?', '/body/strategy_id/?']
  }
  {
    name: 'config'
    partition: '/kind'
    indexed: []
  }
  {
    name: 'runs'
    partition: '/id'
    indexed: ['/body/kind/?', '/body/last_day/?', '/body/state/?']
  }
  {
    name: 'deadletters'
    partition: '/day'
    indexed: ['/body/kind/?']
  }
]

module account 'br/public:avm/res/document-db/database-account:0.19.0' = {
  name: 'account'
  params: {
    name: accountName
    location: location
    tags: tags
    capabilitiesToAdd: serverless ? ['EnableServerless'] : []
    // Instances decide by what others wrote a moment ago, in other documents. docs/decisions.md says where that matters.
    defaultConsistencyLevel: 'Strong'
    disableLocalAuthentication: true
    disableKeyBasedMetadataWriteAccess: true
    minimumTlsVersion: 'Tls12'
    enableAutomaticFailover: false
    zoneRedundant: false
    backupPolicyType: 'Continuous'
    backupPolicyContinuousTier: 'Continuous7Days'
    // Flex Consumption without a virtual network has no address of its own to allow. See docs/deploy.md.
    networkRestrictions: {
      publicNetworkAccess: 'Enabled'
      networkAclBypass: 'None'
    }
    sqlDatabases: [
      {
        name: databaseName
        autoscaleSettingsMaxThroughput: serverless ? null : autoscaleMaxRu
        containers: map(containers, container => {
          name: container.name
          paths: [container.partition]
          kind: 'Hash'
          version: 2
          // Nothing expires by itself.
          defaultTtl: -1
          indexingPolicy: {
            automatic: true
            indexingMode: 'consistent'
            includedPaths: map(concat(['${container.partition}/?'], container.indexed), path => { path: path })
            excludedPaths: [{ path: '/*' }]
          }
        })
      }
    ]
    enableTelemetry: false
  }
}

resource existingAccount 'Microsoft.DocumentDB/databaseAccounts@2024-11-15' existing = {
  name: accountName
}

// Scoped to the account, which holds nothing else: the SDK reads the account's regions before anything else.
resource dataAccess 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2024-11-15' = {
  parent: existingAccount
  name: guid(existingAccount.id, appPrincipalId, cosmosDataContributor)
  properties: {
    principalId: appPrincipalId
    roleDefinitionId: '${existingAccount.id}/sqlRoleDefinitions/${cosmosDataContributor}'
    scope: existingAccount.id
  }
  dependsOn: [account]
}

output endpoint string = account.outputs.endpoint
