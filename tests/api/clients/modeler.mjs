// Camunda Modeler's own client, @camunda8/sdk, used as the Modeler uses it: topology, Deploy, Start, and the texts of errors.
import { Camunda8 } from '@camunda8/sdk';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

const { url, files, broken, username, password } = JSON.parse(process.env.LIANBAN_TEST);
const basic = (user, word) => ({
  ZEEBE_REST_ADDRESS: url, CAMUNDA_AUTH_STRATEGY: 'BASIC', CAMUNDA_BASIC_AUTH_USERNAME: user, CAMUNDA_BASIC_AUTH_PASSWORD: word,
});
const none = { ZEEBE_REST_ADDRESS: url, CAMUNDA_AUTH_STRATEGY: 'NONE' };
const client = (settings) => new Camunda8({ ...settings, CAMUNDA_LOG_LEVEL: 'none' }).getCamundaRestClient();
const resources = (paths) => paths.map((path) => ({ name: basename(path), content: readFileSync(path) }));
const message = async (action) => {
  try {
    await action();
    return 'no error';
  } catch (error) {
    return error.message;
  }
};

const modeler = client(username ? basic(username, password) : none);
const topology = await modeler.getTopology();
const deployed = await modeler.deployResources(resources(files), '<default>');
const again = await modeler.deployResources(resources(files), '<default>');
const { processDefinitionId } = deployed.processes.find((process) => process.resourceName === basename(files[0]));
const started = await modeler.createProcessInstance({
  processDefinitionId, variables: { amount: 20000, 单位: '教育局' }, businessId: '2022-001', tenantId: '<default>',
});
const answer = {
  gatewayVersion: topology.gatewayVersion,
  processes: deployed.processes,
  decisions: deployed.decisions,
  forms: deployed.forms,
  versionsAgain: [...again.processes.map((one) => one.processDefinitionVersion), ...again.forms.map((one) => one.version)],
  started: String(started.processInstanceKey),
  broken: await message(() => modeler.deployResources(resources([broken]), '<default>')),
  unknown: await message(() => modeler.createProcessInstance({ processDefinitionId: 'nothing', variables: {}, tenantId: '<default>' })),
};
if (username) {
  answer.wrong = await message(() => client(basic(username, 'wrong')).deployResources(resources(files), '<default>'));
}
console.log(JSON.stringify(answer));
process.exit(0);
