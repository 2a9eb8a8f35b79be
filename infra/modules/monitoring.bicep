metadata description = 'Log Analytics and Application Insights. Telemetry is taken from identities only, never with an instrumentation key.'

param workspaceName string
param insightsName string
param location string
param tags object

@description('The principal that may send telemetry.')
param publisherPrincipalId string

var monitoringMetricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

module workspace 'br/public:avm/res/operational-insights/workspace:0.15.0' = {
  name: 'workspace'
  params: {
    name: workspaceName
    location: location
    tags: tags
    skuName: 'PerGB2018'
    dataRetention: 30
    features: { disableLocalAuth: true }
    enableTelemetry: false
  }
}

module insights 'br/public:avm/res/insights/component:0.7.1' = {
  name: 'insights'
  params: {
    name: insightsName
    location: location
    tags: tags
    workspaceResourceId: workspace.outputs.resourceId
    applicationType: 'web'
    retentionInDays: 30
    disableLocalAuth: true
    roleAssignments: [
      {
        principalId: publisherPrincipalId
        principalType: 'ServicePrincipal'
        roleDefinitionIdOrName: monitoringMetricsPublisher
      }
    ]
    enableTelemetry: false
  }
}

output workspaceResourceId string = workspace.outputs.resourceId
output insightsConnectionString string = insights.outputs.connectionString
