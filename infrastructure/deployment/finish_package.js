'use strict';
// Runs finish_package.py after all other plugins have added their files.
const { spawnSync } = require('node:child_process');
const path = require('node:path');

class Finish {
  constructor(serverless, _options, { log }) {
    this.hooks = {
      'after:package:createDeploymentArtifacts': () => {
        const { service } = serverless;
        const { python, architecture, maxMegabytes } = service.custom.package;
        const zip = path.resolve(serverless.serviceDir, service.package.artifact);
        const result = spawnSync(
          python,
          [path.join(__dirname, 'finish_package.py'), zip, '--architecture', architecture, '--max-megabytes', String(maxMegabytes[architecture])],
          { encoding: 'utf8' },
        );
        if (result.error) throw result.error;
        if (result.status !== 0) throw new serverless.classes.Error(result.stderr.trim());
        log.notice(result.stdout.trim());
      },
    };
  }
}

module.exports = Finish;
