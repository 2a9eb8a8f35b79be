metadata description = 'One installation of dom-optimizer: a resource group and everything in it.'

targetScope = 'subscription'

@minLength(1)
@maxLength(32)
@description('The name of the azd environment. Names and tags come from it.')
param environmentName string

@description('The region of every resource. It must offer Flex Consumption.')
param location string

@allowed([512, 2048, 4096])
@description('Memory of an instance, in MB: a quarter of a core, one core, two cores. The solver wants whole cores.')
param instanceMemoryMb int = 2048

@minValue(1)
@maxValue(1000)
@description('The most instances at the same time. It bounds what a flood of orders can cost.')
param maximumInstanceCount int = 40

@minValue(1)
@maxValue(1000)
@description('HTTP requests that an instance works on at the same time. Python has five threads on one core.')
param httpConcurrency int = 4

@minValue(0)
@maxValue(1000000)
@description('0: Cosmos DB is serverless. Otherwise its autoscale limit in RU/s, in steps of 1,000. An account cannot change between the two.')
param cosmosAutoscaleMaxRu int = 0

@description('When due strategies run: NCRONTAB with seconds, UTC.')
param planSchedule string = '0 */15 * * * *'

@description('When assignments that could not be sent at once are sent: NCRONTAB with seconds, UTC.')
param outboxSchedule string = '0 */5 * * * *'

@description('When old plans, runs and dead letters are removed: NCRONTAB with seconds, UTC.')
param cleanupSchedule string = '0 30 3 * * *'

@description('When the age of the oldest message in each queue is logged: NCRONTAB with seconds, UTC.')
param watchSchedule string = '0 */5 * * * *'

@minValue(1)
@maxValue(64)
@description('Requests that a run makes to Cosmos DB at the same time.')
param requestsAtOnce int = 8

@minValue(10)
@maxValue(3600)
@description('Seconds for which a run that no longer shows life keeps others from planning.')
param leaseSeconds int = 60

@minValue(1)
@maxValue(8760)
@description('Hours for which a proposed plan waits to be approved.')
param planExpiryHours int = 24

@minValue(1)
@maxValue(3650)
@description('Days for which plans and runs are kept; longer while a line is assigned by the plan.')
param planRetentionDays int = 30

@minValue(1)
@maxValue(3650)
@description('Days for which dead letters are kept.')
param deadLetterRetentionDays int = 30

@minValue(1024)
@maxValue(100000000)
@description('The largest HTTP body that is read.')
param maxBodyBytes int = 1000000

@minValue(0)
@maxValue(1000000)
@description('HTTP requests that each caller may send to one instance in a minute; 0 limits nobody.')
param requestsPerMinute int = 6000

@description('Runs of more lines than this are spread over many instances; 0: none is.')
@minValue(0)
param planTasksAboveLines int = 0

@allowed(['offline', 'nominatim', 'azure_maps'])
@description('Who finds addresses that come without coordinates, after the offline tables.')
param geocoder string = 'offline'

@description('What solves the models; highs needs highspy in requirements.txt.')
@allowed(['cbc', 'highs'])
param solver string = 'cbc'

@description('The Nominatim server, when it is the geocoder.')
param nominatimUrl string = 'https://nominatim.openstreetmap.org'

@allowed(['great_circle', 'osrm', 'valhalla', 'azure_maps'])
@description('Who measures distances for strategies that go by road; great_circle: nobody.')
param distances string = 'great_circle'

@description('The OSRM server, when it measures.')
param osrmUrl string = 'http://127.0.0.1:5000'

@description('The Valhalla server, when it measures.')
param valhallaUrl string = 'http://127.0.0.1:8002'

@description('The vehicle, as the engine names it. Empty: a car.')
param roadProfile string = ''

@minValue(1)
@maxValue(20000)
@description('Ways longer than this along the great circle are not measured but estimated.')
param roadWithinKm int = 400

@minValue(100)
@maxValue(300)
@description('How long a way by road is estimated to be, in percent of the great circle.')
param roadCircuityPercent int = 130

@minValue(1)
@maxValue(10000000)
@description('The most ways that one run asks for.')
param roadCells int = 100000

@minValue(1)
@maxValue(365)
@description('Days for which a measured distance is used again.')
param roadCacheDays int = 30

@description('The key vault that holds the Azure Maps key. Empty: no key.')
param mapsKeyVaultName string = ''

@description('The resource group of that key vault, in this subscription. Empty: the one made here.')
param mapsKeyVaultResourceGroup string = ''

@description('The name of the secret in that key vault.')
param mapsKeySecretName string = 'azure-maps-key'

@secure()
@description('Where assignments are posted too. Empty: only the queue has them. It may hold a key of the receiver.')
param webhookUrl string = ''

@description('The key vault that holds the secret with which webhooks are signed. Needed with webhookUrl.')
param webhookKeyVaultName string = ''

@description('The resource group of that key vault, in this subscription. Empty: the one made here.')
param webhookKeyVaultResourceGroup string = ''

@description('The name of the secret in that key vault.')
param webhookSecretName string = 'dom-webhook-secret'

@description('The application (client) id of an Entra ID registration. Empty: callers use function keys.')
param entraClientId string = ''

@description('Who is told of alerts and of the budget. Empty: alerts are only listed in the portal, and there is no budget.')
param alertEmail string = ''

@minValue(1)
@description('The monthly budget, in the currency of the subscription.')
param monthlyBudget int = 100

@minValue(1)
@description('An order that waits longer than this in a queue raises an alert.')
param queueAgeLimitMinutes int = 15

@minValue(1)
@description('A run that takes longer than this raises an alert: the minutes between two ticks of planSchedule.')
param runLimitMinutes int = 15

var token = uniqueString(subscription().id, environmentName, location)
var tags = { 'azd-env-name': environmentName }
var resourceGroupName = 'rg-${environmentName}'
var cosmosDatabaseName = 'dom'
var deploymentContainerName = 'app-package'

resource resourceGroup 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: resourceGroupName
  location: location
  tags: tags
}

module identity 'br/public:avm/res/managed-identity/user-assigned-identity:0.5.0' = {
  name: 'identity'
  scope: resourceGroup
  params: {
    name: 'id-dom-${token}'
    location: location
    tags: tags
    enableTelemetry: false
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: resourceGroup
  params: {
    workspaceName: 'log-dom-${token}'
    insightsName: 'appi-dom-${token}'
    location: location
    tags: tags
    publisherPrincipalId: identity.outputs.principalId
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: resourceGroup
  params: {
    accountName: 'stdom${token}'
    location: location
    tags: tags
    deploymentContainerName: deploymentContainerName
    deadLetterRetentionDays: deadLetterRetentionDays
    appPrincipalId: identity.outputs.principalId
  }
}

module database 'modules/database.bicep' = {
  name: 'database'
  scope: resourceGroup
  params: {
    accountName: 'cosmos-dom-${token}'
    databaseName: cosmosDatabaseName
    location: location
    tags: tags
    autoscaleMaxRu: cosmosAutoscaleMaxRu
    appPrincipalId: identity.outputs.principalId
  }
}

module mapsKey 'modules/secret-reader.bicep' = if (!empty(mapsKeyVaultName)) {
  name: 'maps-key'
  scope: az.resourceGroup(empty(mapsKeyVaultResourceGroup) ? resourceGroupName : mapsKeyVaultResourceGroup)
  params: {
    vaultName: mapsKeyVaultName
    secretName: mapsKeySecretName
    readerPrincipalId: identity.outputs.principalId
  }
}

module webhookSecret 'modules/secret-reader.bicep' = if (!empty(webhookKeyVaultName)) {
  name: 'webhook-secret'
  scope: az.resourceGroup(empty(webhookKeyVaultResourceGroup) ? resourceGroupName : webhookKeyVaultResourceGroup)
  params: {
    vaultName: webhookKeyVaultName
    secretName: webhookSecretName
    readerPrincipalId: identity.outputs.principalId
  }
}

module app 'modules/function-app.bicep' = {
  name: 'function-app'
  scope: resourceGroup
  params: {
    appName: 'func-dom-${token}'
    planName: 'plan-dom-${token}'
    location: location
    tags: tags
    identityResourceId: identity.outputs.resourceId
    identityClientId: identity.outputs.clientId
    insightsConnectionString: monitoring.outputs.insightsConnectionString
    storageEndpoints: storage.outputs.endpoints
    deploymentContainerName: deploymentContainerName
    cosmosEndpoint: database.outputs.endpoint
    cosmosDatabaseName: cosmosDatabaseName
    instanceMemoryMb: instanceMemoryMb
    maximumInstanceCount: maximumInstanceCount
    httpConcurrency: httpConcurrency
    planSchedule: planSchedule
    outboxSchedule: outboxSchedule
    cleanupSchedule: cleanupSchedule
    requestsAtOnce: requestsAtOnce
    watchSchedule: watchSchedule
    leaseSeconds: leaseSeconds
    planExpiryHours: planExpiryHours
    planRetentionDays: planRetentionDays
    deadLetterRetentionDays: deadLetterRetentionDays
    maxBodyBytes: maxBodyBytes
    requestsPerMinute: requestsPerMinute
    planTasksAboveLines: planTasksAboveLines
    geocoder: geocoder
    solver: solver
    nominatimUrl: nominatimUrl
    distances: distances
    osrmUrl: osrmUrl
    valhallaUrl: valhallaUrl
    roadProfile: roadProfile
    roadWithinKm: roadWithinKm
    roadCircuityPercent: roadCircuityPercent
    roadCells: roadCells
    roadCacheDays: roadCacheDays
    azureMapsKey: empty(mapsKeyVaultName) ? '' : '@Microsoft.KeyVault(VaultName=${mapsKeyVaultName};SecretName=${mapsKeySecretName})'
    webhookUrl: webhookUrl
    webhookSecret: empty(webhookKeyVaultName) ? '' : '@Microsoft.KeyVault(VaultName=${webhookKeyVaultName};SecretName=${webhookSecretName})'
    entraClientId: entraClientId
  }
  // The platform resolves the references when the app starts, so the roles must be there before.
  dependsOn: [mapsKey, webhookSecret]
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: resourceGroup
  params: {
    namePrefix: 'alert-dom-${environmentName}'
    actionGroupName: 'ag-dom-${token}'
    location: location
    tags: tags
    workspaceResourceId: monitoring.outputs.workspaceResourceId
    email: alertEmail
    queueAgeLimitMinutes: queueAgeLimitMinutes
    runLimitMinutes: runLimitMinutes
  }
}

module budget 'br/public:avm/res/consumption/budget/rg-scope:0.1.0' = if (!empty(alertEmail)) {
  name: 'budget'
  scope: resourceGroup
  params: {
    name: 'budget-dom-${environmentName}'
    amount: monthlyBudget
    resetPeriod: 'Monthly'
    thresholds: [50, 80, 100]
    contactEmails: [alertEmail]
    enableTelemetry: false
  }
}

output AZURE_RESOURCE_GROUP string = resourceGroup.name
output AZURE_FUNCTION_APP_NAME string = app.outputs.name
output DOM_URL string = 'https://${app.outputs.hostName}'
